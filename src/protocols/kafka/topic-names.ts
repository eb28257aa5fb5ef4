import { createHash } from 'node:crypto';
import type { Broker, Topic } from '../../broker/index.ts';
import { ErrorCode } from '../../wire/kafka/index.ts';
import { KafkaError } from './errors.ts';
import type { TopicNames } from './kafka-host.ts';

/** `org.apache.kafka.common.internals.Topic`: letters, digits, `.`, `_`, `-`, up to 249 of them. */
const nameLengthMax = 249;
const legal = /^[a-zA-Z0-9._-]{1,249}$/;
/** What a shown name begins with when it is not the topic's own. */
const escapePrefix = 'escaped.';
/** A name that stays too long escaped is shown by its hash. */
const hashPrefix = 'escaped-long.';

/** Whether Kafka allows a topic of this name. */
export function isTopicName(name: string): boolean {
  return legal.test(name) && name !== '.' && name !== '..';
}

/** Throws a KafkaError INVALID_TOPIC_EXCEPTION. */
export function checkTopicName(name: string): void {
  if (isTopicName(name)) return;
  const problem =
    name === ''
      ? 'the empty string is not allowed'
      : name === '.' || name === '..'
        ? `'${name}' is not allowed`
        : name.length > nameLengthMax
          ? `the length of '${name.slice(0, nameLengthMax)}' is longer than the max allowed length ${nameLengthMax}`
          : `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`;
  throw new KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic name is invalid: ${problem}`);
}

/**
 * The names that Kafka clients see: a topic's own where Kafka allows it; else `escaped.` and the UTF-8 bytes
 * of the name, those that are no letter or digit as `_` and two hex digits. `stock!` is shown as
 * `escaped.stock_21`. Own names that begin like an escaped one are escaped too, so no two meet.
 */
export class ShownTopicNames implements TopicNames {
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  nameOf({ name }: { readonly name: string }): string {
    return shownName(name);
  }

  topic(shown: string): Topic | undefined {
    if (shown.startsWith(hashPrefix)) {
      for (const topic of this.#broker.topics.values()) if (shownName(topic.name) === shown) return topic;
      return undefined;
    }
    if (!shown.startsWith(escapePrefix)) return isTopicName(shown) ? this.#broker.topic(shown) : undefined;
    const topic = this.#broker.topic(unescapeName(shown.slice(escapePrefix.length)));
    return topic && shownName(topic.name) === shown ? topic : undefined;
  }
}

/** The name by which Kafka clients know a topic. */
export function shownName(name: string): string {
  if (isTopicName(name) && !name.startsWith(escapePrefix) && !name.startsWith(hashPrefix)) return name;
  const escaped = escapePrefix + escapeName(name);
  if (escaped.length <= nameLengthMax) return escaped;
  return hashPrefix + createHash('sha256').update(name).digest('base64url');
}

function escapeName(name: string): string {
  let escaped = '';
  for (const byte of Buffer.from(name, 'utf8')) {
    const isPlain =
      (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte === 45;
    escaped += isPlain ? String.fromCharCode(byte) : `_${byte.toString(16).padStart(2, '0')}`;
  }
  return escaped;
}

function unescapeName(escaped: string): string {
  const latin1 = escaped.replaceAll(/_([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
