import type { Broker, Group } from '../../src/broker/index.ts';
import type { History } from './history.ts';
import { GroupWatch } from './group-watch.ts';
import { groupKeyOf, keyOf } from './keys.ts';
import { NatsClient } from './nats-client.ts';
import type { Action, Answer, PlannedMessage } from './script.ts';
import type { SimulatedClock } from './simulated-clock.ts';

/** A delivery that came over the wire. */
interface Unanswered {
  readonly group: string;
  readonly reply: string;
}

/**
 * Topics and groups as NATS clients use them. Publishes are recorded by their PubAck. Deliveries and answers
 * are recorded at the broker's group, because the wire does not tell.
 */
export class NatsGroups {
  readonly #broker: Broker;
  readonly #history: History;
  readonly #client: NatsClient;
  readonly #watch: GroupWatch;
  readonly #unanswered: Unanswered[] = [];
  /** Answers with a meaningful confirmation. */
  readonly #confirmable = new Set<number>();
  #answers = 0;
  #draining = false;
  #forgotten = false;

  constructor(
    broker: Broker,
    history: History,
    clock: SimulatedClock,
    plans: ReadonlyMap<number, PlannedMessage>,
  ) {
    this.#broker = broker;
    this.#history = history;
    this.#watch = new GroupWatch(history, plans);
    this.#watch.all(broker);
    this.#client = new NatsClient(broker, clock, {
      published: (id, offset, duplicate) =>
        this.#note(() => history.add({ kind: 'published', id, partition: 0, offset, duplicate })),
      refused: (id, code) => this.#note(() => history.add({ kind: 'refused', id, code })),
      delivered: (topic, group, _, reply) => this.#note(() => this.#arrived(topic, group, reply)),
      confirmed: (upTo) => {
        if (this.#confirmable.has(upTo)) this.#note(() => history.add({ kind: 'durable', upTo }));
      },
      problem: (text) => this.#note(() => history.add({ kind: 'problem', text })),
    });
  }

  /** The process is gone; nothing it says from now on is heard. */
  forget(): void {
    this.#forgotten = true;
  }

  #note(work: () => void): void {
    if (!this.#forgotten) work();
  }

  get isPublishing(): boolean {
    return this.#client.isPublishing;
  }

  publish(
    plan: PlannedMessage,
    expected: { expectedLastOffset?: number; expectedLastKeyOffset?: number },
  ): void {
    this.#client.publish(plan, expected);
  }

  pull(group: Group, batch: number): void {
    this.#client.pull(group.topic.name, group.name, batch);
  }

  answer(group: Group, action: Extract<Action, { kind: 'answer' }>): void {
    const mine = this.#unanswered.filter((unanswered) => unanswered.group === groupKeyOf(group));
    for (let left = action.count; left > 0 && mine.length > 0; left--) {
      const [unanswered] = mine.splice(Math.floor(action.pick * mine.length), 1);
      this.#say(unanswered!, action.answer, action.delayMs);
      if (action.answer === 'extend') return;
      this.#unanswered.splice(this.#unanswered.indexOf(unanswered!), 1);
    }
  }

  /** Every other answer asks to hear when it is on disk. */
  #say(unanswered: Unanswered, answer: Answer, delayMs?: number): void {
    const at = this.#history.events.length;
    this.#client.answer(unanswered.reply, answer, delayMs, this.#answers++ % 2 === 0 ? at : undefined);
    const said = this.#history.events[at]?.fact;
    if (said?.kind === 'answered' && !this.#isVolatile(said.topic)) this.#confirmable.add(at);
  }

  /** A topic in memory waits for no commit: a confirmation says nothing about the disk. */
  #isVolatile(key: string): boolean {
    for (const topic of this.#broker.topics.values())
      if (keyOf(topic) === key) return topic.config.durability === 'memory';
    return true;
  }

  #arrived(topicName: string, groupName: string, reply: string): void {
    const group = this.#broker.topic(topicName)?.groups.get(groupName);
    if (!group) return; // deleted meanwhile
    const unanswered = { group: groupKeyOf(group), reply };
    if (this.#draining) this.#say(unanswered, 'ack');
    else this.#unanswered.push(unanswered);
  }

  /** From now on everything is acked at once. */
  drain(): void {
    if (!this.#client.isConnected)
      this.#history.add({ kind: 'problem', text: 'the connection of the NATS client was closed' });
    this.#draining = true;
    for (const unanswered of this.#unanswered.splice(0)) this.#say(unanswered, 'ack');
  }

  watch(group: Group): void {
    this.#watch.one(group);
  }
}
