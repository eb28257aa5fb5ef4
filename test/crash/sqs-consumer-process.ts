import { setTimeout as sleep } from 'node:timers/promises';
import { EventWriter } from './event-log.ts';
import { hashOf, idOf } from './payload.ts';
import { sequenceOf, SqsWire, type SqsMessage } from './sqs-wire.ts';

// An SQS consumer process: `sqs-consumer-process.js PORT LOG NAME - QUEUE`. Some receives wait at the same
// time. Their messages are deleted in batches; some are made visible again at first.

const [portText = '', logPath = '', , , queue = ''] = process.argv.slice(2);
const log = new EventWriter(logPath);
const wire = new SqsWire(Number(portText));
const QueueUrl = wire.url(queue);

const receivers = 3;
const waitSeconds = 1;
/** One in so many is given back the first time. */
const giveBackEvery = 31;

process.on('message', () => process.exit(0));
process.once('disconnect', () => process.exit(1));

async function receive(): Promise<void> {
  const { Messages = [] } = await wire.call('ReceiveMessage', {
    QueueUrl,
    MaxNumberOfMessages: 10,
    WaitTimeSeconds: waitSeconds,
    MessageSystemAttributeNames: ['All'],
  });
  const entries = Messages.map((message, at) => ({
    Id: String(at),
    ReceiptHandle: message.ReceiptHandle,
    seq: noteDelivery(message),
    isFirst: message.Attributes['ApproximateReceiveCount'] === '1',
  }));
  const isGivenBack = ({ seq, isFirst }: (typeof entries)[number]): boolean =>
    isFirst && seq % giveBackEvery === 0;
  const back = entries.filter(isGivenBack);
  const done = entries.filter((entry) => !isGivenBack(entry));
  if (back.length > 0)
    await wire.call('ChangeMessageVisibilityBatch', {
      QueueUrl,
      Entries: back.map(({ Id, ReceiptHandle }) => ({ Id, ReceiptHandle, VisibilityTimeout: 0 })),
    });
  if (done.length === 0) return;
  for (const { seq } of done) log.write({ kind: 'acking', stream: queue, seq });
  const { Successful = [] } = await wire.call('DeleteMessageBatch', {
    QueueUrl,
    Entries: done.map(({ Id, ReceiptHandle }) => ({ Id, ReceiptHandle })),
  });
  const deleted = new Set(Successful.map(({ Id }) => Id));
  for (const { Id, seq } of done) if (deleted.has(Id)) log.write({ kind: 'acked', stream: queue, seq });
}

function noteDelivery({ Body, Attributes }: SqsMessage): number {
  const data = Buffer.from(Body, 'base64');
  const seq = sequenceOf(Attributes['SequenceNumber']);
  const subject = Attributes['MessageGroupId'] ?? '-';
  log.write({ kind: 'delivered', stream: queue, seq, id: idOf(data), subject, hash: hashOf(data) });
  return seq;
}

let connecting: Promise<void> | undefined;

function reconnect(): Promise<void> {
  connecting ??= wire.connectPatiently().then(() => {
    connecting = undefined;
    log.write({ kind: 'connected' });
  });
  return connecting;
}

await reconnect();
await Promise.all(
  Array.from({ length: receivers }, async () => {
    for (;;)
      await receive().catch(async () => {
        await sleep(1);
        await reconnect();
      });
  }),
);
