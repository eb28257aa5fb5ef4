import {
  DeadLetterHeader,
  type Broker,
  type Header,
  type LeavingMessage,
  type Topic,
} from '../../broker/index.ts';
import { Timestamp, type FieldTable, type FieldValue, type Properties } from '../../wire/amqp/index.ts';
import type { Exchanges } from './exchanges/index.ts';
import { headersOfStored } from './message.ts';
import { exchangeArgument, keyArgument, routeName } from './dead-letter-policy.ts';
import { definitionOf } from './queues.ts';

/** Routes dead letters by the exchanges of AMQP; returns the function that ends it. */
export function routeDeadLetters(broker: Broker, exchanges: Exchanges): () => void {
  return broker.addDeadLetterRoute(routeName, (message) => {
    const { exchange: name, routingKey } = wayOf(message.topic as Topic, keyOf(message));
    if (name === '') {
      const topic = broker.topic(routingKey);
      return topic ? [topic] : [];
    }
    const exchange = exchanges.get(name);
    if (!exchange) return [];
    return exchanges.route(exchange, { routingKey, headers: () => headersOfStored(message.headers) }).topics;
  });
}

/** A death of a message: it left a queue for a reason. */
interface Death {
  readonly queue: string;
  readonly reason: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly seconds: number;
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
): DeadLetterParts {
  const deaths: Death[] = [];
  let way = { exchange, routingKey: '' };
  for (const letter of lettersOf(stored)) {
    const queue = letter.get(DeadLetterHeader.topic) ?? '';
    const cause = letter.get(DeadLetterHeader.cause) ?? '';
    // A message without a key has the name of its queue as its routing key.
    const routingKey = deaths.length > 0 ? way.routingKey : (letter.get(DeadLetterHeader.key) ?? queue);
    deaths.unshift({
      queue,
      reason: reasons.find(([known]) => cause.startsWith(known))?.[1] ?? 'rejected',
      exchange: way.exchange,
      routingKey,
      seconds: Math.floor(Date.parse(letter.get(DeadLetterHeader.time) ?? '') / 1000) || 0,
    });
    const topic = broker.topic(queue);
    way = topic ? wayOf(topic, routingKey) : { exchange: '', routingKey };
  }
  const { expiration: _, ...rest } = properties;
  const headers = new Map([...(properties.headers ?? []), ...deathHeaders(deaths)]);
  return { ...way, properties: { ...rest, headers } };
}

/** Whether a stored message is a dead letter. */
export function isDeadLetter(stored: readonly Header[]): boolean {
  return stored.some(({ name }) => name === DeadLetterHeader.topic);
}

/** The headers of each death, the first one first. */
function* lettersOf(stored: readonly Header[]): Iterable<ReadonlyMap<string, string>> {
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
        ['count', count],
        ['reason', death.reason],
        ['queue', death.queue],
        ['time', new Timestamp(death.seconds)],
        ['exchange', death.exchange],
        ['routing-keys', [death.routingKey]],
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

/** The dead-letter exchange of a queue, and the routing key of a message that had this one. */
function wayOf(topic: Topic, key: string): { readonly exchange: string; readonly routingKey: string } {
  const { arguments: table } = definitionOf(topic);
  const [exchange, routingKey] = [table.get(exchangeArgument), table.get(keyArgument)];
  return {
    exchange: typeof exchange === 'string' ? exchange : '',
    routingKey: typeof routingKey === 'string' ? routingKey : key,
  };
}

/** The routing key of a message; one for the default exchange has the name of its queue. */
function keyOf({ key, topic }: Pick<LeavingMessage, 'key' | 'topic'>): string {
  return key === null ? topic.name : Buffer.from(key).toString('utf8');
}
