import type { Broker } from '../../src/broker/index.ts';
import type { SqsAction } from '../../src/wire/aws/index.ts';
import { md5OfText } from '../../src/wire/aws/index.ts';
import type { History } from './history.ts';
import type { PlannedMessage } from './script.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import type { SqsAsk, SqsResult, SqsSeen } from './sqs-facts.ts';
import { attributesOf, bodyOf, nameIn } from './sqs-message.ts';
import { SqsRun, type SqsAnswer, type SqsOutputs } from './sqs-run.ts';
import {
  isFifoName,
  letterQueues,
  sqsQueues,
  type SqsEntry,
  type SqsStep,
  type SqsTraits,
} from './sqs-script.ts';

type Step<K extends SqsStep['kind']> = Extract<SqsStep, { readonly kind: K }>;

/** A receipt handle as a client holds it. */
interface Receipt {
  readonly number: number;
  readonly queue: string;
  readonly handle: string;
}

/** Receives that wait at once; more would only wait. */
const waitingMax = 6;
/** Longer than a life. */
const forever = 43_200;
const drainRoundsMax = 2_000;
const noSignal = new AbortController().signal;

/**
 * Queues as SQS clients use them. Receipt handles are texts, so that the clients use them after a restart as
 * well.
 */
export class SqsClients {
  readonly #history: History;
  readonly #clock: SimulatedClock;
  readonly #seed: number;
  readonly #entries = new Map<number, SqsEntry>();
  readonly #receipts: Receipt[] = [];
  readonly #numbers = new Map<string, number>();
  #run!: SqsRun;
  #isDraining = false;
  /** The task that was started last. */
  #task: string | undefined;
  /** Receives that wait, each with what ends it. */
  readonly #waiting = new Map<number, AbortController>();

  constructor(history: History, clock: SimulatedClock, seed: number) {
    this.#history = history;
    this.#clock = clock;
    this.#seed = seed;
  }

  connect(broker: Broker): void {
    const plans: ReadonlyMap<number, PlannedMessage> = new Map();
    this.#waiting.clear();
    this.#run = new SqsRun({ broker, clock: this.#clock, history: this.#history, plans, seed: this.#seed });
    if (this.#isDraining) this.#drainAll();
  }

  /** The process is gone; nothing it says from now on is heard. */
  disconnect(): void {
    const run = this.#run as SqsRun | undefined;
    run?.end();
    run?.sqs.close();
  }

  perform(step: SqsStep): void {
    if (this.#isDraining) return;
    switch (step.kind) {
      case 'create':
        return this.#create(step);
      case 'send':
        return this.#send(step);
      case 'receive':
        return this.#receive(step);
      case 'delete':
        return this.#settle(step);
      case 'change':
        return this.#settle(step);
      case 'purge':
        return this.#simple(
          'PurgeQueue',
          { what: 'purge', queue: step.queue },
          { QueueUrl: urlOf(step.queue) },
        );
      case 'move':
        return this.#move(step);
      case 'cancel-move':
        if (this.#task !== undefined)
          void this.#run.call('CancelMessageMoveTask', { TaskHandle: this.#task }, noSignal);
        return;
      case 'leave':
        return this.#leave();
      default:
        return step satisfies never;
    }
  }

  // ---- requests

  /** Notes the request and, when it is answered, what `told` makes of the answer. */
  #ask(
    action: SqsAction,
    ask: SqsAsk,
    input: object,
    told: (answer: SqsAnswer) => object,
    signal: AbortSignal = noSignal,
  ): { readonly of: number; readonly answered: Promise<void> } {
    const run = this.#run;
    const of = run.note({ kind: 'sqs-asked', ask });
    const answered = run.call(action, input, signal).then((answer) => {
      if (run.isOver || signal.aborted) return;
      const error = answer.kind === 'refused' ? { error: answer.code } : {};
      // A receive that waits ends without messages when the broker stops.
      const { Messages = [] } = answer.kind === 'output' ? answer.output : {};
      const isCut = action === 'ReceiveMessage' && Messages.length === 0 && !run.broker.health.ready;
      run.note(isCut ? { kind: 'sqs-left', of } : { kind: 'sqs-told', of, ...error, ...told(answer) });
    });
    return { of, answered };
  }

  #simple(action: SqsAction, ask: SqsAsk, input: object): void {
    this.#ask(action, ask, input, () => ({}));
  }

  #create({ queue, traits }: Step<'create'>): void {
    const input = { QueueName: queue, Attributes: attributesOfQueue(queue, traits) };
    this.#simple('CreateQueue', { what: 'create', queue, traits }, input);
  }

  #send({ queue, isBatch, entries }: Step<'send'>): void {
    for (const entry of entries) this.#entries.set(entry.name, entry);
    const ask: SqsAsk = { what: 'send', queue, entries };
    const ids = entries.map(({ name }) => `e${name}`);
    if (isBatch) {
      const Entries = entries.map((entry, at) => ({ Id: ids[at], ...messageOf(entry) }));
      const input = { QueueUrl: urlOf(queue), Entries };
      this.#ask('SendMessageBatch', ask, input, (answer) => ({ results: resultsOf(answer, ids) }));
    } else {
      const input = { QueueUrl: urlOf(queue), ...messageOf(entries[0]!) };
      this.#ask('SendMessage', ask, input, (answer) => ({ results: [resultOf(answer)] }));
    }
  }

  #receive({ queue, max, wait, visibility, attempt }: Step<'receive'>): void {
    if (wait > 0 && this.#waiting.size >= waitingMax) return;
    const traits = this.#created.get(queue);
    if (!traits) return;
    const ask: SqsAsk = {
      what: 'receive',
      queue,
      wait,
      visibility: visibility ?? traits.visibility,
      ...(attempt === undefined ? {} : { attempt }),
    };
    const input = {
      QueueUrl: urlOf(queue),
      MaxNumberOfMessages: max,
      WaitTimeSeconds: wait,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
      ...(visibility === undefined ? {} : { VisibilityTimeout: visibility }),
      ...(attempt === undefined ? {} : { ReceiveRequestAttemptId: attempt }),
    };
    const controller = new AbortController();
    const told = (answer: SqsAnswer): object => ({ seen: this.#seen(queue, answer) });
    const { of, answered } = this.#ask('ReceiveMessage', ask, input, told, controller.signal);
    if (wait === 0) return;
    this.#waiting.set(of, controller);
    void answered.then(() => this.#waiting.delete(of));
  }

  #leave(): void {
    for (const [of, controller] of this.#waiting) {
      this.#run.note({ kind: 'sqs-left', of });
      controller.abort();
    }
    this.#waiting.clear();
  }

  /** Deletes messages, or changes their visibility: those of one queue around the one that is picked. */
  #settle(step: Step<'delete'> | Step<'change'>): void {
    const picked = this.#receipts[Math.floor(step.pick * this.#receipts.length)];
    if (!picked) return;
    const { queue } = picked;
    const receipts = this.#receipts
      .slice(0, this.#receipts.indexOf(picked) + 1)
      .filter((receipt) => receipt.queue === queue)
      .slice(-step.count);
    if (step.kind === 'delete' && step.hasForged && receipts.length < 10)
      receipts.push({ number: -1, queue, handle: forged(picked.handle) });
    const ids = receipts.map((_, at) => `r${at}`);
    const numbers = receipts.map(({ number }) => number);
    const seconds = step.kind === 'change' ? { VisibilityTimeout: step.seconds } : {};
    const entries = receipts.map(({ handle }) => ({ ReceiptHandle: handle, ...seconds }));
    const ask: SqsAsk =
      step.kind === 'delete'
        ? { what: 'delete', queue, receipts: numbers }
        : { what: 'change', queue, receipts: numbers, seconds: step.seconds };
    const action = step.kind === 'delete' ? 'DeleteMessage' : 'ChangeMessageVisibility';
    if (entries.length === 1)
      this.#ask(action, ask, { QueueUrl: urlOf(queue), ...entries[0] }, (answer) => ({
        results: [resultOf(answer)],
      }));
    else
      this.#ask(
        `${action}Batch`,
        ask,
        { QueueUrl: urlOf(queue), Entries: entries.map((entry, at) => ({ Id: ids[at], ...entry })) },
        (answer) => ({ results: resultsOf(answer, ids) }),
      );
  }

  #move({ source, destination, rate }: Step<'move'>): void {
    const run = this.#run;
    const ask: SqsAsk = { what: 'move', source, ...(destination === undefined ? {} : { destination }) };
    const input = {
      SourceArn: arnOf(source),
      ...(destination === undefined ? {} : { DestinationArn: arnOf(destination) }),
      ...(rate === undefined ? {} : { MaxNumberOfMessagesPerSecond: rate }),
    };
    this.#ask('StartMessageMoveTask', ask, input, (answer) => {
      if (answer.kind === 'output' && this.#run === run) this.#task = answer.output.TaskHandle;
      return {};
    });
  }

  // ---- answers

  /** What the queues were created with: the first answer counts. */
  get #created(): ReadonlyMap<string, SqsTraits> {
    const traits = new Map<string, SqsTraits>();
    for (const queue of sqsQueues) {
      const found = this.#run.sqs.queues.get(queue);
      if (found) traits.set(queue, { visibility: found.numberOf('VisibilityTimeout'), delay: 0 });
    }
    return traits;
  }

  #seen(queue: string, answer: SqsAnswer): readonly SqsSeen[] {
    if (answer.kind === 'refused') return [];
    return (answer.output.Messages ?? []).map((message) => {
      const { ReceiptHandle: handle, MessageId: messageId, Body: body, Attributes: attributes } = message;
      const name = nameIn(body);
      const entry = this.#entries.get(name);
      const { SequenceNumber: sequence, MessageGroupId: group } = attributes;
      const altered = entry ? difference(entry, message) : undefined;
      return {
        name: entry ? name : -1,
        receipt: this.#receiptOf(queue, handle),
        messageId,
        count: Number(attributes['ApproximateReceiveCount']),
        ...(sequence === undefined ? {} : { sequence }),
        ...(group === undefined ? {} : { group }),
        ...(altered === undefined ? {} : { altered }),
      };
    });
  }

  #receiptOf(queue: string, handle: string): number {
    const known = this.#numbers.get(handle);
    if (known !== undefined) return known;
    const number = this.#receipts.length;
    this.#numbers.set(handle, number);
    this.#receipts.push({ number, queue, handle });
    return number;
  }

  // ---- the end

  /** From now on all that can be received is received and deleted, until the end of the life. */
  drain(): void {
    this.#isDraining = true;
    this.#leave();
    this.#drainAll();
  }

  /** Everything is received: says so, for what was not. */
  drained(): void {
    this.#run.note({ kind: 'sqs-drained' });
  }

  #drainAll(): void {
    for (const queue of this.#created.keys()) void this.#drainQueue(queue, this.#run);
  }

  async #drainQueue(queue: string, run: SqsRun): Promise<void> {
    for (let rounds = 0; !run.isOver && rounds < drainRoundsMax; rounds++) {
      const ask: SqsAsk = { what: 'receive', queue, wait: 20, visibility: forever };
      const input = {
        QueueUrl: urlOf(queue),
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 20,
        VisibilityTimeout: forever,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['All'],
      };
      let received: readonly SqsSeen[] = [];
      await this.#ask(
        'ReceiveMessage',
        ask,
        input,
        (answer) => ({
          seen: (received = this.#seen(queue, answer)),
        }),
        new AbortController().signal,
      ).answered;
      if (run.isOver || this.#run !== run) return;
      const receipts = received.flatMap(({ receipt }) => this.#receipts[receipt] ?? []);
      if (receipts.length === 0) {
        // A receive that is refused would be asked again in a circle.
        await this.#clock.sleep(500);
        continue;
      }
      const ids = receipts.map((_, at) => `r${at}`);
      const Entries = receipts.map(({ handle }, at) => ({ Id: ids[at], ReceiptHandle: handle }));
      const numbers = receipts.map(({ number }) => number);
      await this.#ask(
        'DeleteMessageBatch',
        { what: 'delete', queue, receipts: numbers },
        { QueueUrl: urlOf(queue), Entries },
        (answer) => ({ results: resultsOf(answer, ids) }),
      ).answered;
    }
  }
}

function urlOf(queue: string): string {
  return `http://127.0.0.1:9324/000000000000/${queue}`;
}

function arnOf(queue: string): string {
  return `arn:aws:sqs:us-east-1:000000000000:${queue}`;
}

function attributesOfQueue(
  queue: string,
  { visibility, delay, isScoped, receivesMax }: SqsTraits,
): { readonly [name: string]: string } {
  const letters = letterQueues[queue];
  return {
    VisibilityTimeout: String(visibility),
    DelaySeconds: String(delay),
    ...(isFifoName(queue) && { FifoQueue: 'true' }),
    ...(isScoped && { DeduplicationScope: 'messageGroup' }),
    ...(letters !== undefined && {
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf(letters), maxReceiveCount: receivesMax }),
    }),
  };
}

function messageOf(entry: SqsEntry): object {
  const { delay, group, dedupeId } = entry;
  return {
    MessageBody: bodyOf(entry),
    MessageAttributes: attributesOf(entry),
    ...(delay === undefined ? {} : { DelaySeconds: delay }),
    ...(group === undefined ? {} : { MessageGroupId: group }),
    ...(dedupeId === undefined ? {} : { MessageDeduplicationId: dedupeId }),
  };
}

function resultOf(answer: SqsAnswer): SqsResult {
  if (answer.kind === 'refused') return { kind: 'failed', code: answer.code };
  return doneOf(answer.output);
}

function doneOf({
  MessageId: messageId,
  SequenceNumber: sequence,
}: Pick<SqsOutputs, 'MessageId' | 'SequenceNumber'>): SqsResult {
  return {
    kind: 'done',
    ...(messageId === undefined ? {} : { messageId }),
    ...(sequence === undefined ? {} : { sequence }),
  };
}

/** The results of the entries, in their order; an entry that is there twice, or with another id, has none. */
function resultsOf(answer: SqsAnswer, ids: readonly string[]): readonly (SqsResult | undefined)[] {
  if (answer.kind === 'refused') return ids.map(() => ({ kind: 'failed', code: answer.code }));
  const { Successful = [], Failed = [] } = answer.output;
  if (Successful.length + Failed.length !== ids.length) return ids.map(() => undefined);
  return ids.map((id) => {
    const failed = Failed.find(({ Id }) => Id === id);
    if (failed) return { kind: 'failed', code: failed.Code };
    const done = Successful.find(({ Id }) => Id === id);
    return done && doneOf(done);
  });
}

/** How a received message differs from the one that was sent. */
function difference(
  entry: SqsEntry,
  message: NonNullable<SqsOutputs['Messages']>[number],
): string | undefined {
  const { Body: body, MD5OfBody: md5, MessageAttributes: attributes = {}, Attributes: system } = message;
  if (body !== bodyOf(entry)) return 'body';
  if (md5 !== md5OfText(body)) return 'MD5 of the body';
  const sorted = (of: object): string =>
    JSON.stringify(Object.entries(of).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  if (sorted(attributes) !== sorted(attributesOf(entry))) return 'attributes';
  if (system['MessageGroupId'] !== entry.group) return 'group';
  return system['MessageDeduplicationId'] === entry.dedupeId ? undefined : 'deduplication id';
}

/** A handle with one bit changed. */
function forged(handle: string): string {
  const bytes = Buffer.from(handle, 'base64');
  bytes[bytes.length - 1] = bytes[bytes.length - 1]! ^ 1;
  return bytes.toString('base64');
}
