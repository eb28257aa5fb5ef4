import { DeadLetterHeader, type Broker, type LeavingMessage, type Topic } from '../../broker/index.ts';
import type { FieldTable, Properties } from '../../wire/amqp/index.ts';
import { copiesIn } from './carbon-copies.ts';
import { routeName } from './dead-letter-policy.ts';
import { isDeadLetter, journeyOf, lettersOf, wayOf } from './deaths.ts';
import type { Exchanges } from './exchanges/index.ts';
import { headersOfStored, propertiesOfStored } from './message.ts';

// The queues that dead letters go to. What consumers see of their deaths is in deaths.ts.

/**
 * Routes dead letters by the exchanges of AMQP, those of the virtual host of a topic; returns the function
 * that ends it.
 */
export function routeDeadLetters(
  broker: Broker,
  exchangesOf: (topic: LeavingMessage['topic']) => Exchanges,
): () => void {
  return broker.addDeadLetterRoute(routeName, (message) =>
    routeLetter(broker, exchangesOf(message.topic), message),
  );
}

/** A message that becomes a dead letter of a topic. */
type Dying = Pick<LeavingMessage, 'topic' | 'key' | 'headers' | 'cause'>;

/** The queues that get a dead letter. One that came round to a queue by itself is dropped there. */
export function routeLetter(broker: Broker, exchanges: Exchanges, message: Dying): readonly Topic[] {
  return queuesOf(broker, exchanges, message).filter((topic) => !isCycle(topic, message));
}

/** Whether the message died in this queue before, and nobody has rejected it since. */
function isCycle({ name }: Topic, { topic, headers, cause }: Dying): boolean {
  const deaths = Array.from(lettersOf(headers), (letter) => ({
    topic: letter.get(DeadLetterHeader.topic),
    cause: letter.get(DeadLetterHeader.cause) ?? '',
  }));
  deaths.push({ topic: topic.name, cause });
  const last = deaths.findLastIndex((death) => death.topic === name);
  return last >= 0 && deaths.slice(last).every((death) => !death.cause.startsWith('rejected'));
}

function queuesOf(broker: Broker, exchanges: Exchanges, message: Dying): readonly Topic[] {
  const { exchange: name, routingKeys } = wayOf(message.topic, keysOf(broker, exchanges, message));
  if (name === '') return routingKeys.flatMap((key) => exchanges.queueNamed(key) ?? []);
  const exchange = exchanges.get(name);
  if (!exchange) return [];
  const headers = (): FieldTable => headersOfStored(message.headers);
  const properties = (): Properties => propertiesOfStored(message.headers) ?? { headers: headers() };
  return exchanges.routeLetter(exchange, { routingKeys, headers, properties });
}

/**
 * The routing keys of a message: its own, and those of its header CC. One for the default exchange has the
 * name of its queue. A dead letter has those that its last death gave it.
 */
function keysOf(broker: Broker, { names }: Exchanges, { key, topic, headers }: Dying): readonly string[] {
  const copies = copiesIn(headersOfStored(headers));
  if (isDeadLetter(headers)) return journeyOf(broker, headers, '', copies, names).way.routingKeys;
  return [key === null ? names.queueName(topic.name) : Buffer.from(key).toString('utf8'), ...copies];
}
