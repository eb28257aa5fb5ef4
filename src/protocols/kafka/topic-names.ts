import type { Broker, Topic } from '../../broker/index.ts';
import { ErrorCode } from '../../wire/kafka/index.ts';
import { coreName, isLegalName, isTooLong, names, shownName } from '../names.ts';
import { KafkaError } from './errors.ts';
import type { TopicNames } from './kafka-host.ts';

const rule = names.kafka.topic;

/** Whether Kafka allows a topic of this name. */
export function isTopicName(name: string): boolean {
  return isLegalName(name, rule);
}

/** Throws a KafkaError INVALID_TOPIC_EXCEPTION. */
export function checkTopicName(name: string): void {
  if (isTopicName(name)) return;
  const problem =
    name === ''
      ? 'the empty string is not allowed'
      : rule.reserved.includes(name)
        ? `'${name}' is not allowed`
        : isTooLong(name, rule)
          ? `the length of '${name.slice(0, rule.longest.count)}' is longer than the max allowed length ${rule.longest.count}`
          : `'${name}' contains one or more characters other than ${rule.alphabet}`;
  throw new KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic name is invalid: ${problem}`);
}

/** The names by which Kafka clients know topics: see the table in names.ts. */
export class ShownTopicNames implements TopicNames {
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  nameOf({ name }: { readonly name: string }): string {
    return shownName(name, rule);
  }

  topic(shown: string): Topic | undefined {
    const name = coreName(shown, rule, this.#broker.topics);
    return name === undefined ? undefined : this.#broker.topic(name);
  }
}
