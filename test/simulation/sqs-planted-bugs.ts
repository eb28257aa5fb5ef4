import type { PlantedBug } from './planted-bug.ts';

/** Bugs that only SQS clients see. */
export const sqsPlantedBugs: readonly PlantedBug[] = [
  {
    name: 'sqs: a deletion is answered before it is on disk',
    file: 'protocols/sqs/operations/delete-message.js',
    find: 'remove(sqs, sqs.queues.byUrl(url), handle);\n    await sqs.committed();',
    replace: 'remove(sqs, sqs.queues.byUrl(url), handle);',
  },
  {
    name: 'sqs: a queue that another request creates is answered before it is on disk',
    file: 'protocols/sqs/queues.js',
    find: 'if (existing)\n            return this.#stored(sameQueue(existing, attributes));',
    replace: 'if (existing)\n            return sameQueue(existing, attributes);',
  },
  {
    name: 'sqs: a deletion is not carried out',
    file: 'protocols/sqs/answering.js',
    find: 'receipt.ack();',
    replace: ';',
  },
  {
    name: 'sqs: what was deleted is given back',
    file: 'protocols/sqs/answering.js',
    find: 'receipt.ack();',
    replace: 'receipt.nack(0);',
  },
  {
    name: 'sqs: an expired handle of a FIFO queue deletes nothing, without an error',
    file: 'protocols/sqs/answering.js',
    find: 'if (queue.isFifo && !isInFlight(receipt) && !isDone(receipt))',
    replace: 'if (queue.isFifo)',
  },
  {
    name: 'sqs: a stale handle changes the visibility',
    file: 'protocols/sqs/answering.js',
    find: 'if (!isInFlight(receipt))',
    replace: 'if (false)',
  },
  {
    name: 'sqs: a visibility timeout is in milliseconds',
    file: 'protocols/sqs/answering.js',
    find: 'receipt.setDeadline(seconds * 1000);',
    replace: 'receipt.setDeadline(seconds);',
  },
  {
    name: 'sqs: the visibility timeout of a receive is not heard',
    file: 'protocols/sqs/receiving.js',
    find: '...(ackWaitMs !== group.config.ackWaitMs && { ackWaitMs }),',
    replace: '',
  },
  {
    name: 'sqs: a made-up handle is taken',
    file: 'protocols/sqs/receipt-handle.js',
    find: 'if (!timingSafeEqual(this.#mac(text), bytes.subarray(0, macBytes)))',
    replace: 'if (false)',
  },
  {
    name: 'sqs: handles do not survive a restart',
    file: 'protocols/sqs/receipt-handle.js',
    find: "if (typeof stored === 'string')",
    replace: 'if (false)',
  },
  {
    name: 'sqs: a FIFO queue gives its groups to all',
    file: 'protocols/sqs/queue-options.js',
    find: "ordering: 'key', keyRunMax: 10, heldMax: 120_000",
    replace: '',
  },
  {
    name: 'sqs: a duplicate is stored',
    file: 'protocols/sqs/sending.js',
    find: '...(dedupeId !== undefined && { dedupeId }),',
    replace: '',
  },
  {
    name: 'sqs: deduplication ids are forgotten after a minute',
    file: 'protocols/sqs/queue-options.js',
    find: 'const dedupeWindowMs = 300_000;',
    replace: 'const dedupeWindowMs = 60_000;',
  },
  {
    name: 'sqs: a duplicate has an id of its own',
    file: 'protocols/sqs/sending.js',
    find: 'const place = isDuplicate ? placeOf(topic.id, partition, offset) : stored.place;',
    replace: 'const place = stored.place;',
  },
  {
    name: 'sqs: the last entry of a batch is not sent',
    file: 'protocols/sqs/operations/send-message.js',
    find: 'const results = await Promise.all(entries.map(',
    replace:
      'if (entries.length > 5) entries = [...entries.slice(0, -1), { ...entries.at(-1), MessageBody: entries[0].MessageBody }];\n    const results = await Promise.all(entries.map(',
  },
  {
    name: 'sqs: failed entries of a batch are left out',
    file: 'protocols/sqs/batch.js',
    find: 'Failed.push(failedEntry(entry.Id, error));',
    replace: ';',
  },
  {
    name: 'sqs: attributes of a message lose their types',
    file: 'protocols/sqs/stored-message.js',
    find: 'if (types.length > 0)',
    replace: 'if (types.length > 1)',
  },
  {
    name: 'sqs: a move task acks what it does not append',
    file: 'protocols/sqs/move-task.js',
    find: 'const error = failure === undefined ? append(destination, record) : failure;',
    replace: 'const error = failure;',
  },
  {
    name: 'sqs: a move task copies',
    file: 'protocols/sqs/move-task.js',
    find: 'if (error === undefined && receipt.ack())',
    replace: 'if (error === undefined && receipt.release() !== 0)',
  },
  {
    name: 'sqs: a message is received once more than maxReceiveCount',
    file: 'protocols/sqs/redrive-policy.js',
    find: 'maxDeliver: receivesMax,',
    replace: 'maxDeliver: receivesMax + 1,',
  },
  {
    name: 'sqs: numbers of delayed messages begin again after a purge',
    file: 'protocols/sqs/delayed-sends.js',
    find: 'const sequence = Math.max(expected, (this.#lastSequences.get(topic) ?? -1) + 1);',
    replace: 'const sequence = expected;',
  },
];
