import { recordOf } from '../../broker/index.ts';
import { encodeProperties, withHeaders, type Properties } from '../../wire/amqp/index.ts';
import { blindCopyHeader, carbonCopies } from './carbon-copies.ts';
import { AmqpError } from './errors.ts';
import { withDelayOver } from './exchanges/index.ts';
import { checkUserId, optionsOf } from './handlers/publish.ts';
import type { AmqpLimits } from './limits.ts';
import { storedHeaders } from './message.ts';
import type { Actor } from './permissions.ts';
import { publicationOf, publishTo } from './publication.ts';
import { routeOf, type RoutingHost } from './publish-route.ts';
import { PublishTarget } from './publish-target.ts';
import { publishWide, widthOf } from './wide-publish.ts';

/** A message that is published without a channel, by a request of the management API. */
export interface SingleMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: Properties;
  readonly body: Buffer;
}

const noBytes = Buffer.alloc(0);

/**
 * Publishes one message. Resolves to whether a queue gets it, when it is on disk. Rejects with an AmqpError,
 * or with the BrokerError of a queue that refuses it.
 */
export async function publishSingle(
  host: RoutingHost,
  actor: Actor,
  { exchange, routingKey, properties, body }: SingleMessage,
  { payloadBytesMax, queuesPerCommitMax }: Pick<AmqpLimits, 'payloadBytesMax' | 'queuesPerCommitMax'>,
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
  const route = routeOf({ host, ...actor }, target, { copies, properties: () => properties });
  if (route.topics.length + route.delayed.length === 0) return false;
  const publication = publicationOf(route, { options, properties, nowMs: host.broker.clock.now() });
  let encoded = encodeProperties(properties);
  if (isBlind) encoded = withHeaders(encoded, [blindCopyHeader], new Map());
  if (route.delayed.length > 0) encoded = withDelayOver(encoded, properties);
  // A message for several queues by name keeps its routing key.
  const hasKey = routingKey !== '' && (exchange !== '' || copies.length > 0);
  const record = recordOf({
    key: hasKey ? routingKey : null,
    headers: storedHeaders(exchange, encoded),
    value: body,
  });
  return new Promise((resolve, reject) => {
    const listener = {
      published: () => resolve(true),
      refused: (_: number, error: Error) => reject(error),
    };
    if (widthOf(publication) <= queuesPerCommitMax) publishTo(host, publication, record, listener, 0);
    else publishWide(host, publication, record, listener, 0, queuesPerCommitMax).catch(reject);
  });
}
