import { DeadLetterHeader, type Broker, type Header, type Topic } from '../../broker/index.ts';
import { Timestamp, type FieldTable, type FieldValue, type Properties } from '../../wire/amqp/index.ts';
import { copiesIn, copyHeader } from './carbon-copies.ts';
import { exchangeArgument, keyArgument } from './dead-letter-policy.ts';
import { argumentsOf } from './queue-definition.ts';
import { plainNames, type VhostNames } from './vhosts/vhost-names.ts';

// The broker keeps each death of a message in headers of the dead letter. Exchanges and routing keys are not
// among them: they follow from the arguments of the queues that the message left.

/** A death of a message: it left a queue for a reason. */
export interface Death {
  readonly queue: string;
  readonly reason: string;
  readonly exchange: string;
  readonly routingKeys: readonly string[];
  readonly seconds: number;
}

/** Where a dead letter went to. */
export interface Way {
  readonly exchange: string;
  readonly routingKeys: readonly string[];
  /** Whether the queue that it left had a routing key for its dead letters, so that its own count no more. */
  readonly isRenamed: boolean;
}

/** RabbitMQ's words for the causes of dead letters. */
const reasons: readonly (readonly [cause: string, reason: string])[] = [
  ['max-deliveries', 'delivery_limit'],
  ['expired', 'expired'],
  ['overflow', 'maxlen'],
  ['rejected', 'rejected'],
];

/** What AMQP sees of a dead letter: where its last death sent it, and its deaths in the header `x-death`. */
export interface DeadLetterParts {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: Properties;
}

/** `properties` and `exchange` are those of the message before its first death. */
export function deadLetterParts(
  broker: Broker,
  stored: readonly Header[],
  exchange: string,
  properties: Properties,
  names: VhostNames = plainNames,
): DeadLetterParts {
  const { deaths, way } = journeyOf(broker, stored, exchange, copiesIn(properties.headers), names);
  const { expiration: _, ...rest } = properties;
  const headers = new Map([...(properties.headers ?? []), ...deathHeaders(deaths)]);
  if (way.isRenamed) headers.delete(copyHeader);
  return { exchange: way.exchange, routingKey: way.routingKeys[0]!, properties: { ...rest, headers } };
}

/** The deaths of a dead letter, newest first, and where the last one sent it. */
export function journeyOf(
  broker: Broker,
  stored: readonly Header[],
  exchange: string,
  copies: readonly string[],
  names: VhostNames,
): { readonly deaths: readonly Death[]; readonly way: Way } {
  const deaths: Death[] = [];
  let way: Way = { exchange, routingKeys: [''], isRenamed: false };
  for (const letter of lettersOf(stored)) {
    const left = letter.get(DeadLetterHeader.topic) ?? '';
    const queue = names.queueName(left);
    const cause = letter.get(DeadLetterHeader.cause) ?? '';
    // A message without a key has the name of its queue as its routing key.
    const routingKeys =
      deaths.length > 0 ? way.routingKeys : [letter.get(DeadLetterHeader.key) ?? queue, ...copies];
    deaths.unshift({
      queue,
      reason: reasons.find(([known]) => cause.startsWith(known))?.[1] ?? 'rejected',
      exchange: way.exchange,
      routingKeys,
      seconds: Math.floor(Date.parse(letter.get(DeadLetterHeader.time) ?? '') / 1000) || 0,
    });
    const topic = broker.topic(left);
    const next = topic ? wayOf(topic, routingKeys) : { exchange: '', routingKeys, isRenamed: false };
    way = { ...next, isRenamed: way.isRenamed || next.isRenamed };
  }
  return { deaths, way };
}

/** Whether a stored message is a dead letter. */
export function isDeadLetter(stored: readonly Header[]): boolean {
  return stored.some(({ name }) => name === DeadLetterHeader.topic);
}

/** The headers of each death, the first one first. */
export function* lettersOf(stored: readonly Header[]): Iterable<ReadonlyMap<string, string>> {
  let letter: Map<string, string> | undefined;
  for (const { name, value } of stored) {
    if (name === DeadLetterHeader.topic) {
      if (letter) yield letter;
      letter = new Map();
    }
    if (value !== null && name.startsWith('Pillarbox-Dead-Letter-'))
      letter?.set(name, Buffer.from(value).toString('utf8'));
  }
  if (letter) yield letter;
}

/** The header x-death, newest death first, and the first death by itself, as RabbitMQ writes them. */
function deathHeaders(deaths: readonly Death[]): [name: string, value: FieldValue][] {
  const counted = new Map<string, { readonly death: Death; count: number }>();
  for (const death of deaths) {
    const key = JSON.stringify([death.queue, death.reason]);
    const known = counted.get(key);
    if (known) known.count++;
    else counted.set(key, { death, count: 1 });
  }
  const entries = Array.from(
    counted.values(),
    ({ death, count }): FieldTable =>
      new Map<string, FieldValue>([
        ['count', BigInt(count)], // Java and Go clients expect 64 bits
        ['reason', death.reason],
        ['queue', death.queue],
        ['time', new Timestamp(death.seconds)],
        ['exchange', death.exchange],
        ['routing-keys', death.routingKeys],
      ]),
  );
  const first = deaths.at(-1)!;
  return [
    ['x-death', entries],
    ['x-first-death-exchange', first.exchange],
    ['x-first-death-queue', first.queue],
    ['x-first-death-reason', first.reason],
  ];
}

/** The dead-letter exchange of a queue, and the routing keys of a message that had these. */
export function wayOf(topic: Pick<Topic, 'config'>, keys: readonly string[]): Way {
  const table = argumentsOf(topic);
  const [exchange, routingKey] = [table.get(exchangeArgument), table.get(keyArgument)];
  const isRenamed = typeof routingKey === 'string';
  return {
    exchange: typeof exchange === 'string' ? exchange : '',
    routingKeys: isRenamed ? [routingKey] : keys,
    isRenamed,
  };
}
