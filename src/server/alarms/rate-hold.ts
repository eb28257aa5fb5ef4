import type { Broker, Topic, TopicConfig } from '../../broker/index.ts';

type RateConfig = Pick<TopicConfig, 'publishRate' | 'overRate'>;

/** What is kept of a topic whose rate was lowered: its own rate, and the one that was set instead. */
interface Held {
  /** A topic that was deleted and made again has another id. */
  readonly topicId: number;
  readonly own: RateConfig;
  readonly set: RateConfig;
}

/** The name under which the broker keeps what was lowered, among its attributes. */
const attributes = 'shedding';

/**
 * The rate hold lowers publish rates in the configurations of topics, and restores them. What a topic had
 * before is kept durably, in the commit that lowers the rate, so that a crash cannot leave it behind. If
 * somebody else changes the rate meanwhile, that stays.
 */
export class RateHold {
  readonly #broker: Broker;
  readonly #onNote: (sentence: string) => void;
  /** Topics whose rate a person has changed while it was lowered: left alone until shedding ends. */
  readonly #takenOver = new WeakSet<Topic>();

  constructor(broker: Broker, onNote: (sentence: string) => void) {
    this.#broker = broker;
    this.#onNote = onNote;
  }

  /** Whether any rate is lowered. What belonged to deleted topics is forgotten. */
  holdsAny(): boolean {
    let holdsAny = false;
    for (const name of this.#broker.attributes.names(attributes)) {
      const topic = this.#broker.topic(name);
      if (topic && this.holds(topic)) holdsAny = true;
      else this.#keep(name, undefined);
    }
    return holdsAny;
  }

  holds(topic: Topic): boolean {
    return this.#heldOf(topic) !== undefined;
  }

  /** Whether publishes of the topic beyond a lowered rate are refused. */
  refuses(topic: Topic): boolean {
    return this.#heldOf(topic)?.set.overRate === 'reject';
  }

  /** Lowers the rate of a topic, unless its own is lower. */
  set(topic: Topic, perSecond: number, overRate: 'reject' | 'wait'): void {
    if (this.#takenOver.has(topic)) return;
    const held = this.#heldOf(topic);
    if (held && !this.#isStill(topic, held)) return this.#giveUp(topic);
    const own = held?.own ?? rateOf(topic.config);
    const isOwnLower = own.publishRate !== undefined && own.publishRate.perSecond <= perSecond;
    const set = isOwnLower ? own : { publishRate: { perSecond, burst: Math.max(1, perSecond) }, overRate };
    if (isSame(set, rateOf(topic.config))) return;
    const next: Held = { topicId: topic.id, own, set };
    const refusal = this.#broker.attributes.refusalOf(attributes, topic.name, next);
    if (refusal)
      return this.#onNote(
        `Topic "${topic.name}" cannot be shed: its own rate cannot be kept. ${refusal.message}`,
      );
    // Both go into the open commit.
    this.#keep(topic.name, next);
    this.#apply(topic, set);
  }

  /** Restores the rate of a topic. */
  release(topic: Topic): void {
    this.#takenOver.delete(topic);
    const held = this.#heldOf(topic);
    if (!held) return;
    this.#keep(topic.name, undefined);
    if (this.#isStill(topic, held)) this.#apply(topic, held.own);
  }

  /** Somebody else has set a rate: it stays, and nothing is lowered until shedding has ended once. */
  #giveUp(topic: Topic): void {
    this.#takenOver.add(topic);
    this.#keep(topic.name, undefined);
    this.#onNote(
      `The publish rate of topic "${topic.name}" was changed while it was lowered for its backlog: it stays as it was set.`,
    );
  }

  #isStill(topic: Topic, { set }: Held): boolean {
    return isSame(set, rateOf(topic.config));
  }

  #heldOf(topic: Topic): Held | undefined {
    const held = this.#broker.attributes.get(attributes, topic.name) as Held | undefined;
    return held?.topicId === topic.id ? held : undefined;
  }

  #keep(name: string, held: Held | undefined): void {
    this.#broker.attributes.set(attributes, name, held).catch(() => undefined); // the log reports its own errors
  }

  #apply(topic: Topic, { publishRate, overRate }: RateConfig): void {
    const { publishRate: _rate, overRate: _over, ...rest } = topic.config;
    const config: TopicConfig = {
      ...rest,
      ...(publishRate === undefined ? {} : { publishRate }),
      ...(overRate === undefined ? {} : { overRate }),
    };
    topic.update(config).catch((error: unknown) => {
      if (!topic.isDeleted)
        this.#onNote(`The publish rate of topic "${topic.name}" cannot be changed: ${String(error)}`);
    });
  }
}

function rateOf({ publishRate, overRate }: TopicConfig): RateConfig {
  return {
    ...(publishRate === undefined ? {} : { publishRate }),
    ...(overRate === undefined ? {} : { overRate }),
  };
}

function isSame(one: RateConfig, other: RateConfig): boolean {
  return (
    one.publishRate?.perSecond === other.publishRate?.perSecond &&
    one.publishRate?.burst === other.publishRate?.burst &&
    (one.publishRate === undefined || (one.overRate ?? 'reject') === (other.overRate ?? 'reject'))
  );
}
