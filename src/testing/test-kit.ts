import { Client, openEmbedded } from '../client/parts.ts';
import { SeededRandom, VirtualClock } from '../util/index.ts';
import { Faults } from './faults.ts';
import { Journal } from './journal.ts';
import { Spy } from './spy.ts';
import { WatchedDriver } from './watched-driver.ts';

export interface TestKitOptions {
  /** The seed of the randomness behind backoffs and ids: the same seed, the same waits. Default 1. */
  readonly seed?: number;
  /** Called with faults that the client deals with by itself. */
  readonly onFault?: (error: Error) => void;
}

/** Turns of the event loop without any event after which nothing more is expected. */
const quietTurns = 30;
/** The most turns of one settle: a handler that publishes for each message does not settle. */
const turnsMax = 100_000;

/**
 * A test kit is a broker in memory on a clock that stands still, with a client that a test can spy on and make
 * faults in. Code under test takes the client, and runs on any target in production.
 *
 * ```ts
 * import { startTestKit } from 'pillarbox/testing';
 *
 * await using kit = await startTestKit();
 * const mails = await kit.client.topic<{ to: string }>('mails');
 * const senders = await mails.group('senders', { backoffMs: [60_000], backoffJitter: 0 });
 * senders.consume(
 *   (mail) => {
 *     if (mail.deliveries === 1) throw new Error('the server is busy');
 *   },
 *   { onError: () => {} },
 * );
 * await mails.publish({ to: 'ada' });
 * await kit.spy('mails').waitFor({ to: 'ada' }, 'retried');
 * await kit.tick(59_999);
 * console.log(kit.spy('mails').count('acked')); // prints: 0
 * await kit.tick(1);
 * console.log(kit.spy('mails').count('acked')); // prints: 1
 * ```
 */
export class TestKit implements AsyncDisposable {
  readonly client: Client;
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly #journal: Journal;

  constructor(client: Client, clock: VirtualClock, faults: Faults, journal: Journal) {
    this.client = client;
    this.clock = clock;
    this.faults = faults;
    this.#journal = journal;
  }

  /** What becomes of the messages of a topic; with a group, only there. */
  spy(topic: string, group?: string): Spy {
    return new Spy(this.#journal, topic, group);
  }

  /** Moves time forward, once all that needs no time is done, and resolves when that is so again. */
  async tick(ms: number): Promise<void> {
    await this.settle();
    this.clock.advance(ms);
    await this.settle();
  }

  /**
   * Resolves when all that needs no time is done: publishes are stored, deliveries handed out, handlers that
   * wait for nothing outside have ended.
   */
  async settle(): Promise<void> {
    let quiet = 0;
    for (let turn = 0, before = this.#journal.activity; quiet < quietTurns; turn++) {
      if (turn > turnsMax)
        throw new Error(`The kit did not settle in ${turnsMax} turns: messages make new ones.`);
      await new Promise((resolve) => setImmediate(resolve));
      const { activity } = this.#journal;
      quiet = activity === before ? quiet + 1 : 0;
      before = activity;
    }
  }

  /** Ends the client and its broker; handlers that hang are not waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.client.close({ timeoutMs: 1 });
    await this.settle();
    this.clock.advance(1);
    await this.settle();
    this.clock.advance(1);
    await closed;
  }
}

/** Starts a test kit: a broker and a client in memory, of its own. */
export async function startTestKit(options: TestKitOptions = {}): Promise<TestKit> {
  const clock = new VirtualClock();
  const random = new SeededRandom(options.seed ?? 1);
  const journal = new Journal();
  const faults = new Faults();
  const driver = await openEmbedded(undefined, {
    clock,
    random,
    publishTimeoutMs: 60_000,
    requestTimeoutMs: 10_000,
    fault: () => {},
  });
  const client = new Client({
    driver: new WatchedDriver(driver, clock, journal, faults),
    clock,
    random,
    unackedPublishesMax: 16_384,
    waitingPublishesMax: 100_000,
    onFault: options.onFault,
  });
  return new TestKit(client, clock, faults, journal);
}
