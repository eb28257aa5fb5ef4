import type { Topic } from '../../src/broker/index.ts';
import { KafkaFrontend } from '../../src/protocols/kafka/index.ts';
import { DerivedTopicIds } from '../../src/protocols/kafka/topic-ids.ts';
import { SeededRandom } from '../../src/util/index.ts';
import type { Uuid } from '../../src/wire/kafka/index.ts';
import { ClientRun, type ClientRunParts } from './client-run.ts';
import type { KafkaMember } from './kafka-members.ts';

/** A Kafka run is one life of the broker as Kafka clients see it: its front door, and the shared state. */
export class KafkaRun extends ClientRun {
  readonly frontend: KafkaFrontend;
  /** By group, topic and partition: the member that the broker assigned it to. */
  readonly owners: Map<string, KafkaMember> = new Map();
  readonly #topicIds: DerivedTopicIds;

  constructor(parts: ClientRunParts) {
    super(parts);
    const { broker, clock, history, seed } = parts;
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

  topicId(topic: Topic): Uuid {
    return this.#topicIds.idOf(topic);
  }
}
