import type { BrokerProcess } from './broker-process.ts';
import type { BrokerReader } from './broker-reader.ts';
import { checkPending, checkReading, type Reading } from './checker.ts';
import type { ClientQueue } from './client-queue.ts';
import type { History } from './history.ts';
import { payloadOf } from './payload.ts';
import { sequenceOf, SqsWire } from './sqs-wire.ts';

/** Seconds: a message whose receive was not answered comes again after it. */
const visibilitySeconds = 2;
/** Messages whose sends are repeated, to see whether their ids are still known. */
const repeatMax = 30;

/** The FIFO queue of the SQS clients of a workload. */
export class SqsQueue implements ClientQueue {
  readonly protocol = 'sqs';
  readonly name: string;
  readonly #history: History;

  constructor(name: string, history: History) {
    this.name = name;
    this.#history = history;
  }

  /** NATS has no dots in the names of streams. */
  get streamName(): string {
    return this.name.replace('.', '%2E');
  }

  async create({ sqsPort }: BrokerProcess): Promise<void> {
    using wire = new SqsWire(sqsPort);
    const Attributes = { FifoQueue: 'true', VisibilityTimeout: String(visibilitySeconds) };
    await wire.call('CreateQueue', { QueueName: this.name, Attributes });
  }

  async look(reader: BrokerReader, gather: () => void): Promise<void> {
    gather();
    const known = this.#history.stream(this.name).lastSequence;
    const reading = await this.#read(this.#history, reader, gather);
    checkReading(this.#history, reading, 'unacked', known);
  }

  /**
   * The groups of messages are no subjects of the stream; deliveries show them. `gather` brings the intents
   * of messages that were stored while the stream was read: without them their groups are not known.
   */
  async #read(history: History, reader: BrokerReader, gather = (): void => {}): Promise<Reading> {
    const reading = await reader.read(this.streamName, 1, (body) =>
      Buffer.from(Buffer.from(body).toString('latin1'), 'base64'),
    );
    gather();
    const { messages: known } = history.stream(this.name);
    const messages = reading.messages.map((message) => {
      const { id, subject } = message;
      return { ...message, stream: this.name, subject: known.get(id)?.subject ?? subject };
    });
    return { ...reading, stream: this.name, messages };
  }

  async checkAfter(history: History, { sqsPort }: BrokerProcess, reader: BrokerReader): Promise<void> {
    const reading = await this.#read(history, reader);
    checkReading(history, reading, 'unacked', history.stream(this.name).lastSequence);
    const stored = reading.messages.map(({ seq }) => seq);
    checkPending(history, this.name, stored, await takeAll(sqsPort, this.name));
    await this.sendAgain(history, sqsPort);
  }

  /** The newest messages are sent once more: the broker must say that it has them, and where. */
  async sendAgain(history: History, sqsPort: number): Promise<void> {
    using wire = new SqsWire(sqsPort);
    const stored = [...history.stream(this.name).messages].filter(([, one]) => one.storedAt !== undefined);
    for (const [id, { subject, storedAt }] of stored.slice(-repeatMax)) {
      const message = { QueueUrl: wire.url(this.name), MessageBody: bodyOf(id), MessageGroupId: subject };
      const answer = await wire.call('SendMessage', { ...message, MessageDeduplicationId: id });
      const seq = sequenceOf(answer.SequenceNumber);
      if (seq !== storedAt)
        history.report('an id is stored once', `${this.name}/${storedAt} (${id}) was stored again at ${seq}`);
    }
  }
}

/** Receives and deletes all that the queue has; a message may be in flight until its timeout is over. */
async function takeAll(port: number, queue: string): Promise<number[]> {
  using wire = new SqsWire(port);
  const QueueUrl = wire.url(queue);
  const taken: number[] = [];
  const input = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: visibilitySeconds + 1 };
  for (;;) {
    const { Messages = [] } = await wire.call('ReceiveMessage', {
      ...input,
      MessageSystemAttributeNames: ['SequenceNumber'],
    });
    if (Messages.length === 0) return taken;
    taken.push(...Messages.map(({ Attributes }) => sequenceOf(Attributes['SequenceNumber'])));
    const Entries = Messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }));
    await wire.call('DeleteMessageBatch', { QueueUrl, Entries });
  }
}

/** Payloads have bytes that no text of SQS has. */
export function bodyOf(id: string): string {
  return payloadOf(id).toString('base64');
}
