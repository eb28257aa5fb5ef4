import {
  Broker,
  type BrokerOptions,
  type Consumer,
  type Delivery,
  type Group,
} from '../../src/broker/index.ts';
import { MemoryFiles } from '../../src/log/index.ts';
import { SeededRandom, VirtualClock } from '../../src/util/index.ts';
import { PoisonedBlocks } from '../support/index.ts';

/** A delivery to a test consumer, as plain data. */
export interface Got {
  readonly offset: number;
  readonly value: string;
  readonly key: string;
  readonly deliveries: number;
  readonly sequence: number;
  readonly pending: number;
}

/** A consumer that keeps its deliveries, with a credit set by the test. More credit wakes its group. */
export class TestConsumer implements Consumer {
  group: Group | undefined = undefined;
  #credit: number;
  creditBytes: number = Infinity;
  readonly got: Got[] = [];
  readonly refusals: number[] = [];
  endedBy: string | undefined = undefined;
  /** Answers each delivery, after the call in which it came. */
  answer: ((got: Got) => void) | undefined = undefined;

  constructor(credit: number = Infinity) {
    this.#credit = credit;
  }

  get credit(): number {
    return this.#credit;
  }

  set credit(credit: number) {
    const isMore = credit > this.#credit;
    this.#credit = credit;
    if (isMore) this.group?.wake(this);
  }

  receive(delivery: Delivery): void {
    const { record, deliveries, sequence, pending } = delivery;
    const got: Got = {
      offset: record.offset,
      value: text(record.value),
      key: text(record.key),
      deliveries,
      sequence,
      pending,
    };
    this.credit--;
    this.got.push(got);
    if (this.answer) queueMicrotask(() => this.answer!(got));
  }

  refused(bytes: number): void {
    this.refusals.push(bytes);
    this.credit = 0;
  }

  ended(reason: string): void {
    this.endedBy = reason;
  }

  get values(): string[] {
    return this.got.map(({ value }) => value);
  }

  get offsets(): number[] {
    return this.got.map(({ offset }) => offset);
  }
}

export function text(bytes: Uint8Array | null): string {
  return bytes === null ? '' : Buffer.from(bytes).toString('utf8');
}

/** A broker in memory on a clock that moves only when told; `restart` opens the same files again. */
export class TestBroker {
  readonly clock: VirtualClock;
  files: MemoryFiles;
  broker!: Broker;

  /** On files of its own, or on those that a crash left behind. */
  constructor(files: MemoryFiles = new MemoryFiles(), clock: VirtualClock = new VirtualClock()) {
    this.files = files;
    this.clock = clock;
  }

  static async open(options: Partial<BrokerOptions> = {}): Promise<TestBroker> {
    const kit = new TestBroker();
    await kit.start(options);
    return kit;
  }

  async start(options: Partial<BrokerOptions> = {}): Promise<void> {
    this.broker = await Broker.open({
      dir: 'data',
      files: this.files,
      clock: this.clock,
      random: new SeededRandom(1),
      log: { journalFileBytes: 1024 * 1024, blocks: new PoisonedBlocks() },
      memoryBytes: () => 0,
      ...options,
    });
  }

  async restart(): Promise<void> {
    await this.broker.close();
    await this.start();
  }

  /** Opens the data on disk with another broker, without stopping the first. */
  async crash(): Promise<void> {
    const { broker } = this;
    this.files = this.files.copy();
    await this.start();
    await broker.close();
  }

  /** Waits until everything done so far is durable and has been delivered. */
  async settle(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      await new Promise<void>((resolve) => this.broker.afterCommit(resolve));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settle();
  }

  attach(group: Group, credit?: number): TestConsumer {
    const consumer = new TestConsumer(credit);
    consumer.group = group;
    group.attach(consumer);
    return consumer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.close();
  }
}
