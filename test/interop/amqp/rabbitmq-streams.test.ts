/** Streams, beside RabbitMQ. */
import { methods, type FieldValue } from '../../../src/wire/amqp/index.ts';
import type { Peer } from '../../protocols/amqp/amqp-kit.ts';
import { uniqueName } from '../../support/index.ts';
import { ask, compareWithRabbit, table, type Act } from './rabbitmq-kit.ts';

const name = uniqueName('s');
const isStream: [string, FieldValue] = ['x-queue-type', 'stream'];
const stream = { arguments: table(isStream) };

/** Declares the stream first. */
function withStream(act: Act): Act {
  return async (peer, other, port) => {
    await peer.declare(name, stream);
    return act(peer, other, port);
  };
}

/** Declares the stream, and sets the prefetch. */
function withReader(act: Act, prefetchCount: number = 5, global: boolean = false): Act {
  return withStream(async (peer, other, port) => {
    peer.send(methods.basic.qos, { prefetchSize: 0, prefetchCount, global });
    await peer.next();
    return act(peer, other, port);
  });
}

/** Consumes with one argument. */
const consume = (argument: string, value: FieldValue): Act =>
  withReader((peer) => peer.consume(name, { arguments: table([argument, value]) }));

const declare =
  (argument: string, value: FieldValue): Act =>
  (peer: Peer) =>
    peer.declare(`${name}-x`, { arguments: table(isStream, [argument, value]) });

compareWithRabbit('what RabbitMQ answers about streams, too', {
  'a stream': (peer) => peer.declare(name, stream),
  'a stream again': withStream((peer) => peer.declare(name, stream)),
  'a stream, passively': withStream((peer) => peer.declare(name, { passive: true })),
  'a stream as another type': withStream((peer) =>
    peer.declare(name, { arguments: table(['x-queue-type', 'classic']) }),
  ),
  'a stream that is not durable': (peer) => peer.declare(`${name}-x`, { ...stream, durable: false }),
  'a stream that is exclusive': (peer) => peer.declare(`${name}-x`, { ...stream, exclusive: true }),
  'a stream that is deleted by itself': (peer) => peer.declare(`${name}-x`, { ...stream, autoDelete: true }),
  'a stream without a name': (peer) => peer.declare('', stream),
  'a stream with x-message-ttl': declare('x-message-ttl', 1000),
  'a stream with x-expires': declare('x-expires', 1000),
  'a stream with x-max-length': declare('x-max-length', 5),
  'a stream with x-max-priority': declare('x-max-priority', 5),
  'a stream with x-overflow': declare('x-overflow', 'reject-publish'),
  'a stream with a dead-letter exchange': declare('x-dead-letter-exchange', 'x'),
  'a stream with x-delivery-limit': declare('x-delivery-limit', 5),
  'a stream with an age in an unknown unit': declare('x-max-age', '5x'),
  'a stream with segments that are too large': declare('x-stream-max-segment-size-bytes', 4_000_000_000),
  'basic.get of a stream': withStream(ask((peer) => peer.get(name))),
  'the purge of a stream': withStream(
    ask((peer) => peer.send(methods.queue.purge, { reserved1: 0, queue: name, noWait: false })),
  ),
  'a consumer': withReader((peer) => peer.consume(name)),
  'a consumer without a prefetch': withStream((peer) => peer.consume(name)),
  'a consumer with a prefetch of the channel': withReader((peer) => peer.consume(name), 5, true),
  'a consumer that does not ack': withReader((peer) => peer.consume(name, { noAck: true })),
  'a consumer from an interval': consume('x-stream-offset', '5m'),
  'a consumer from an interval in an unknown unit': consume('x-stream-offset', '5x'),
  'a consumer with a priority': consume('x-priority', 5),
  'a consumer of a queue with an offset': async (peer) => {
    await peer.declare(`${name}-q`);
    return peer.consume(`${name}-q`, { arguments: table(['x-stream-offset', 'first']) });
  },
  'a delivery': async (peer) => {
    await peer.declare(`${name}-read`, stream);
    peer.send(methods.confirm.select, { noWait: false });
    await peer.next();
    for (const headers of [table(), table(['a', 1], ['b', 2])]) {
      peer.publish('', `${name}-read`, 'a', { headers, messageId: 'm', deliveryMode: 2 });
      await peer.next();
    }
    peer.send(methods.basic.qos, { prefetchSize: 0, prefetchCount: 5, global: false });
    await peer.next();
    await peer.consume(`${name}-read`, { arguments: table(['x-stream-offset', 'first']) });
    const [one, two] = [await peer.message(), await peer.message()];
    return JSON.stringify([one, two]);
  },
});
