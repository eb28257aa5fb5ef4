import { ClientError } from '../client/index.ts';
import type {
  Answer,
  Capabilities,
  DeliverySink,
  Driver,
  GroupPlan,
  GroupSettings,
  Incoming,
  Lag,
  LetterStore,
  OutgoingMessage,
  Published,
  Puller,
  TopicSettings,
} from '../client/parts.ts';
import type { Clock } from '../util/index.ts';
import { seenOf, type Fate } from './event.ts';
import type { Faults } from './faults.ts';
import type { Journal } from './journal.ts';
import { DuplicateDelivery, WatchedDelivery } from './watched-delivery.ts';

/** A driver that writes down what becomes of each message, and makes the faults that were asked for. */
export class WatchedDriver implements Driver {
  readonly target: string;
  readonly capabilities: Capabilities;
  readonly #driver: Driver;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #faults: Faults;
  /** Deliveries of a message that did not count, by its group and id. */
  readonly #uncounted = new Map<string, number>();

  constructor(driver: Driver, clock: Clock, journal: Journal, faults: Faults) {
    this.#driver = driver;
    this.target = driver.target;
    this.capabilities = driver.capabilities;
    this.#clock = clock;
    this.#journal = journal;
    this.#faults = faults;
  }

  declareTopic(topic: string, settings: TopicSettings): Promise<void> {
    return this.#driver.declareTopic(topic, settings);
  }

  declareGroup(topic: string, group: string, settings: GroupSettings): Promise<GroupPlan> {
    return this.#driver.declareGroup(topic, group, settings);
  }

  async publish(topic: string, message: OutgoingMessage): Promise<Published> {
    if (this.#faults.take('refusedPublishes'))
      throw new ClientError(
        'refused',
        `${this.target} refuses message "${message.id}": a fault of the test.`,
      );
    const published = await this.#driver.publish(topic, message);
    this.#note('published', seenOf(topic, message));
    return published;
  }

  async publishBatch(topic: string, messages: readonly OutgoingMessage[]): Promise<Published[]> {
    const published = await this.#driver.publishBatch!(topic, messages);
    for (const message of messages) this.#note('published', seenOf(topic, message));
    return published;
  }

  consume(plan: GroupPlan, sink: DeliverySink): Puller {
    let reordered: Incoming[] = [];
    let reorders = 0;
    const pass = (incoming: Incoming): void => {
      this.#note('delivered', seenOf(plan.topic, incoming.message), plan.name, incoming.deliveries);
      sink.received(incoming);
    };
    const arrange = (incoming: Incoming): void => {
      reorders ||= this.#faults.takeReorder();
      if (reorders === 0) return pass(incoming);
      reordered.push(incoming);
      if (reordered.length < reorders) return;
      for (const each of reordered.reverse()) pass(each);
      reordered = [];
      reorders = 0;
    };
    const later = (incoming: Incoming): void => {
      const { slowMs } = this.#faults;
      if (slowMs === 0) arrange(incoming);
      else this.#clock.setTimer(slowMs, () => arrange(incoming));
    };
    return this.#driver.consume(plan, {
      ...sink,
      ended: (reason) => sink.ended(reason),
      failed: (error) => sink.failed(error),
      received: (incoming) => {
        const watched = new WatchedDelivery(
          incoming,
          (answer) => this.#answered(plan, incoming, answer),
          () => this.#faults.take('lostAcks'),
        );
        later(watched);
        if (this.#faults.take('duplicates')) later(new DuplicateDelivery(watched));
      },
    });
  }

  async lag(group: GroupPlan): Promise<Lag> {
    return this.#driver.lag!(group);
  }

  async drained(group: GroupPlan, signal: AbortSignal | undefined): Promise<void> {
    return this.#driver.drained!(group, signal);
  }

  letters(topic: string): LetterStore {
    return this.#driver.letters(topic);
  }

  close(): Promise<void> {
    return this.#driver.close();
  }

  #answered(plan: GroupPlan, { message, deliveries }: Incoming, answer: Answer): void {
    const seen = seenOf(plan.topic, message);
    const name = `${plan.topic} ${plan.name} ${message.id}`;
    const uncounted = this.#uncounted.get(name) ?? 0;
    if (answer.kind === 'release' || answer.kind === 'postpone') this.#uncounted.set(name, uncounted + 1);
    const isLast = answer.kind === 'retry' && deliveries - uncounted >= plan.maxDeliver;
    const reason = 'reason' in answer ? answer.reason : '';
    this.#note(isLast ? 'dead' : fateOf[answer.kind], seen, plan.name, deliveries, reason);
  }

  #note(fate: Fate, message: ReturnType<typeof seenOf>, group?: string, delivery = 0, reason = ''): void {
    this.#journal.add({ fate, message, group, delivery, reason, timeMs: this.#clock.now() });
  }
}

const fateOf: { readonly [K in Answer['kind']]: Fate } = {
  ack: 'acked',
  retry: 'retried',
  dead: 'dead',
  release: 'released',
  postpone: 'released',
};
