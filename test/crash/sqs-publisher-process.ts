import { setTimeout as sleep } from 'node:timers/promises';
import { EventWriter } from './event-log.ts';
import { hashOf, payloadOf } from './payload.ts';
import { bodyOf } from './sqs-queue.ts';
import { sequenceOf, SqsRefusal, SqsWire, type SqsEntry } from './sqs-wire.ts';

// An SQS publisher process: `sqs-publisher-process.js PORT LOG NAME RATE QUEUE`. It sends RATE messages a
// second to a FIFO queue, in batches, each of one group. A batch without an answer is sent again with the
// same deduplication ids until it has one; so is a batch whose refusal says that the server cannot do it now.
// A group sends one batch after the other, so that its order is known. The message 'rest' ends it when all is
// answered.

const [portText = '', logPath = '', name = '', rateText = '', queue = ''] = process.argv.slice(2);
const log = new EventWriter(logPath);
const wire = new SqsWire(Number(portText));

const groups = 8;
const batchMax = 10;
/** Before the next try, so that a full disk is not asked all the time. */
const retryMs = 20;
const perMs = Number(rateText) / 1000 / groups;

const state = { isResting: false, hasToldOfLoad: false, lastNumber: 0 };
process.on('message', () => (state.isResting = true));
process.once('disconnect', () => process.exit(1));

interface Unanswered {
  readonly id: string;
  /** It was sent before, and may be stored. */
  isDoubtful: boolean;
}

async function sendGroup(group: string): Promise<void> {
  while (!state.isResting) {
    const begin = performance.now();
    const size = 1 + (state.lastNumber % batchMax);
    await sendBatch(
      group,
      Array.from({ length: size }, () => intend(group)),
    );
    await sleep(Math.max(1, size / perMs - (performance.now() - begin)));
  }
}

function intend(subject: string): Unanswered {
  const id = `${name}-${++state.lastNumber}`;
  log.write({ kind: 'intent', stream: queue, id, subject, hash: hashOf(payloadOf(id)) });
  return { id, isDoubtful: false };
}

async function sendBatch(group: string, all: readonly Unanswered[]): Promise<void> {
  let left = all;
  while (left.length > 0) {
    try {
      const { Successful = [], Failed = [] } = await wire.call('SendMessageBatch', {
        QueueUrl: wire.url(queue),
        Entries: left.map(({ id }) => ({
          Id: id,
          MessageBody: bodyOf(id),
          MessageGroupId: group,
          MessageDeduplicationId: id,
        })),
      });
      for (const entry of Successful) stored(entry);
      left = afterRefusals(left, Failed);
    } catch (error) {
      if (error instanceof SqsRefusal)
        left = afterRefusals(
          left,
          left.map(({ id }) => ({ Id: id, Code: error.code })),
        );
      else {
        for (const one of left) one.isDoubtful = true;
        await reconnect();
      }
    }
    if (left.length > 0) await sleep(retryMs);
  }
}

function stored({ Id: id, SequenceNumber }: SqsEntry): void {
  log.write({ kind: 'stored', stream: queue, id, seq: sequenceOf(SequenceNumber) });
  if (!state.hasToldOfLoad) process.send?.({ kind: 'load' });
  state.hasToldOfLoad = true;
}

/**
 * A refused message is given up, unless an earlier send of it may have been stored, or this one: the log may
 * fail after it was written. Returns what is left.
 */
function afterRefusals(sent: readonly Unanswered[], failed: readonly SqsEntry[]): readonly Unanswered[] {
  const refused = new Map(failed.map(({ Id, Code }) => [Id, Code]));
  for (const one of sent) {
    if (refused.get(one.id) === 'ServiceUnavailable') one.isDoubtful = true;
    if (refused.has(one.id) && !one.isDoubtful) log.write({ kind: 'refused', stream: queue, id: one.id });
  }
  const [first] = failed;
  if (first) process.send?.({ kind: 'refused', text: `${first.Code}: ${first.Message}` });
  return sent.filter(({ id, isDoubtful }) => refused.has(id) && isDoubtful);
}

let connecting: Promise<void> | undefined;

/** All groups wait for the broker together. */
function reconnect(): Promise<void> {
  connecting ??= wire.connectPatiently().then(() => {
    connecting = undefined;
    state.hasToldOfLoad = false;
    log.write({ kind: 'connected' });
  });
  return connecting;
}

await reconnect();
await Promise.all(
  Array.from({ length: groups }, async (_, at) => {
    await sleep(at);
    await sendGroup(`${queue}-${at}`);
  }),
);
process.exit(0);
