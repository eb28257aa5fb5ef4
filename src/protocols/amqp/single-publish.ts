import { recordOf } from '../../broker/index.ts';
import { encodeProperties, type FieldTable, type Properties } from '../../wire/amqp/index.ts';
import { blindCopyHeader, carbonCopies } from './carbon-copies.ts';
import { AmqpError } from './errors.ts';
import { checkUserId, optionsOf } from './handlers/publish.ts';
import type { AmqpLimits } from './limits.ts';
import { storedHeaders } from './message.ts';
import type { Actor } from './permissions.ts';
import { routeOf, type RoutingHost } from './publish-route.ts';
import { PublishTarget } from './publish-target.ts';

/** A message that is published without a channel, by a request of the management API. */
export interface SingleMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: Properties;
  readonly body: Buffer;
}

const noBytes = Buffer.alloc(0);

/**
 * Publishes one message. Resolves to whether a queue gets it, when it is on disk. Rejects with an AmqpError, or
 * with the BrokerError of a queue that refuses it.
 */
export async function publishSingle(
  host: RoutingHost,
  actor: Actor,
  { exchange, routingKey, properties, body }: SingleMessage,
  { payloadBytesMax }: Pick<AmqpLimits, 'payloadBytesMax'>,
): Promise<boolean> {
  if (body.length > payloadBytesMax)
    throw new AmqpError(
      'PRECONDITION_FAILED',
      `message size ${body.length} is larger than configured max size ${payloadBytesMax}`,
    );
  checkUserId(actor, properties);
  const { keys: copies, isBlind } = carbonCopies(properties.headers);
  const options = optionsOf(properties);
  const target = new PublishTarget(noBytes, { exchange, routingKey, keyOffset: 0, flags: 0 });
  const headers = (): FieldTable => properties.headers ?? new Map();
  const { topics } = routeOf({ host, ...actor }, target, { copies, headers });
  if (topics.length === 0) return false;
  const shown = isBlind ? { ...properties, headers: without(headers(), blindCopyHeader) } : properties;
  // A message for several queues by name keeps its routing key.
  const hasKey = routingKey !== '' && (exchange !== '' || copies.length > 0);
  const record = recordOf({
    key: hasKey ? routingKey : null,
    headers: storedHeaders(exchange, encodeProperties(shown)),
    value: body,
  });
  return new Promise((resolve, reject) => {
    const listener = {
      published: () => resolve(true),
      refused: (_: undefined, error: Error) => reject(error),
    };
    host.broker.publishToAll(topics, record, options, 'all-or-none', listener, undefined);
  });
}

function without(table: FieldTable, name: string): FieldTable {
  return new Map([...table].filter(([each]) => each !== name));
}
