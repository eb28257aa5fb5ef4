import type { Broker, Topic } from '../../src/broker/index.ts';
import { KafkaFrontend } from '../../src/protocols/kafka/index.ts';
import { DerivedTopicIds } from '../../src/protocols/kafka/topic-ids.ts';
import { SeededRandom } from '../../src/util/index.ts';
import type { Uuid } from '../../src/wire/kafka/index.ts';
import type { Fact, History } from './history.ts';
import type { KafkaMember } from './kafka-members.ts';
import type { PlannedMessage } from './script.ts';
import type { SimulatedClock } from './simulated-clock.ts';

/**
 * A Kafka run is one life of the broker as Kafka clients see it: its front door, and the shared state. When
 * it is over they hear nothing of it any more.
 */
export class KafkaRun {
  readonly broker: Broker;
  readonly clock: SimulatedClock;
  readonly random: SeededRandom;
  readonly plans: ReadonlyMap<number, PlannedMessage>;
  readonly frontend: KafkaFrontend;
  /** By group, topic and partition: the member that the broker assigned it to. */
  readonly owners: Map<string, KafkaMember> = new Map();
  #isOver = false;
  readonly #history: History;
  readonly #topicIds: DerivedTopicIds;

  constructor(
    broker: Broker,
    clock: SimulatedClock,
    history: History,
    plans: ReadonlyMap<number, PlannedMessage>,
    seed: number,
  ) {
    this.broker = broker;
    this.clock = clock;
    this.random = new SeededRandom(seed * 1000 + history.run);
    this.plans = plans;
    this.#history = history;
    this.#topicIds = new DerivedTopicIds(broker);
    this.frontend = new KafkaFrontend({
      broker,
      clock,
      random: new SeededRandom(seed * 1000 + history.run + 500),
      report: (event) => {
        if (event.kind === 'closed' && event.reason.kind === 'error')
          this.problem(
            `the session of a Kafka client ended: ${event.reason.text} ${String(event.reason.cause)}`,
          );
      },
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The process is gone. */
  end(): void {
    this.#isOver = true;
  }

  /** Returns the index of the event. */
  note(fact: Fact): number {
    return this.#history.add(fact);
  }

  get events(): number {
    return this.#history.events.length;
  }

  problem(text: string): void {
    if (!this.#isOver) this.note({ kind: 'problem', text });
  }

  topicId(topic: Topic): Uuid {
    return this.#topicIds.idOf(topic);
  }
}
