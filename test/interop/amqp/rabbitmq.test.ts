/** What goes wrong with exchanges, queues, messages and channels, beside RabbitMQ. */
import { methods } from '../../../src/wire/amqp/index.ts';
import { Peer } from '../../protocols/amqp/amqp-kit.ts';
import { uniqueName } from '../../support/index.ts';
import { ask, compareWithRabbit, table, type Act } from './rabbitmq-kit.ts';

const name = uniqueName('q');
const replyQueue = 'amq.rabbitmq.reply-to';
const deletion = { reserved1: 0, ifUnused: false, ifEmpty: false, noWait: false } as const;

/** Declares the queue first. */
function withQueue(act: Act): Act {
  return async (peer, other, port) => {
    await peer.declare(name);
    return act(peer, other, port);
  };
}

const cases: { readonly [what: string]: Act } = {
  'a queue that is not there': (peer) => peer.declare('nope', { passive: true }),
  'a queue that is not durable now': withQueue((peer) => peer.declare(name, { durable: false })),
  'a queue that is exclusive now': withQueue((peer) => peer.declare(name, { exclusive: true })),
  'a queue with another argument': withQueue((peer) =>
    peer.declare(name, { arguments: table(['x-max-length', 5]) }),
  ),
  'a reserved queue': (peer) => peer.declare('amq.mine'),
  "another connection's queue": async (peer, other) => {
    await peer.declare(`${name}-mine`, { exclusive: true });
    return other.declare(`${name}-mine`, { passive: true });
  },
  'no queue before': ask((peer) => peer.get('')),
  'a binding without an exchange': withQueue((peer) => peer.bind(name, 'nope', '')),
  'a binding without a queue': (peer) => peer.bind('nope', 'amq.direct', ''),
  'a binding of the default exchange': withQueue((peer) => peer.bind(name, '', 'x')),
  'a binding with a wrong x-match': withQueue((peer) =>
    peer.bind(name, 'amq.headers', '', table(['x-match', 'some'])),
  ),
  'the end of a queue that is not there': ask((peer) =>
    peer.send(methods.queue.delete, { ...deletion, queue: 'nope' }),
  ),
  'the end of a queue in use': withQueue(async (peer) => {
    await peer.consume(name);
    peer.send(methods.queue.delete, { ...deletion, queue: name, ifUnused: true });
    return peer.next();
  }),
  'an exchange of another type': async (peer) => {
    await peer.exchange(`${name}-x`, 'direct');
    return peer.exchange(`${name}-x`, 'fanout');
  },
  'a reserved exchange': (peer) => peer.exchange('amq.mine', 'direct'),
  'the end of a predeclared exchange': ask((peer) =>
    peer.send(methods.exchange.delete, {
      reserved1: 0,
      exchange: 'amq.topic',
      ifUnused: false,
      noWait: false,
    }),
  ),
  'a publish without an exchange': ask((peer) => peer.publish('nope', 'a', 'b')),
  'a publish for another user': ask((peer) => peer.publish('', 'a', 'b', { userId: 'other' })),
  'an expiration that is no number': ask((peer) => peer.publish('', 'a', 'b', { expiration: 'x' })),
  'a CC that is no array': ask((peer) => peer.publish('', 'a', 'b', { headers: table(['CC', 'c']) })),
  'a BCC that is no array': ask((peer) => peer.publish('', 'a', 'b', { headers: table(['BCC', true]) })),
  'copies of a message that no queue gets': async (peer) => {
    const headers = table(['CC', ['x', 5]], ['BCC', ['y']]);
    peer.publish('', 'nope', 'b', { headers, mandatory: true });
    return (await peer.message()).header;
  },
  'a copy': withQueue(async (peer) => {
    peer.publish('', 'nope', 'b', { headers: table(['CC', [name]], ['BCC', [name]]) });
    await peer.consume(name, { noAck: true });
    const { method, header } = await peer.message();
    return method + header;
  }),
  'a request without a consumer of replies': ask((peer) =>
    peer.publish('', 'a', 'b', { replyTo: replyQueue }),
  ),
  'a consumer of replies that acks': (peer) => peer.consume(replyQueue),
  'a second consumer of replies': async (peer) => {
    await peer.consume(replyQueue, { noAck: true });
    return peer.consume(replyQueue, { noAck: true, consumerTag: 'other' });
  },
  'a tag of a consumer of replies': async (peer) => {
    await peer.consume(replyQueue, { noAck: true });
    return peer.consume(replyQueue, { noAck: true });
  },
  'a queue of replies without a requester': (peer) => peer.declare(`${replyQueue}.none`, { passive: true }),
  'the queue of replies': (peer) => peer.declare(replyQueue),
  'the end of the queue of replies': ask((peer) =>
    peer.send(methods.queue.delete, { ...deletion, queue: replyQueue }),
  ),
  'a message from the queue of replies': ask((peer) => peer.get(replyQueue)),
  'a binding of the queue of replies': (peer) => peer.bind(replyQueue, 'amq.direct', 'x'),
  'a mandatory message to the queue of replies': async (peer) => {
    peer.publish('', replyQueue, 'b', { mandatory: true });
    return (await peer.message()).method;
  },
  'a call': withQueue(async (peer, other) => {
    await peer.consume(replyQueue, { noAck: true });
    peer.publish('', name, 'question', { replyTo: replyQueue, correlationId: '1', mandatory: true });
    await other.consume(name, { noAck: true });
    const address = /"replyTo":"([^"]+)"/.exec((await other.message()).header)![1]!;
    const declared = await other.declare(address, { passive: true });
    other.publish('', address, 'answer', { correlationId: '1', mandatory: true });
    const { method } = await other.message();
    const reply = await peer.message();
    return [declared, method, reply.method, reply.header].join('\n').replaceAll(address, 'address');
  }),
  'a queue with a locator of an old version': async (peer) => {
    await peer.declare(`${name}-l`, { arguments: table(['x-queue-master-locator', 'min-masters']) });
    return peer.declare(`${name}-l`);
  },
  'a queue of another mode now': async (peer) => {
    await peer.declare(`${name}-m`, { arguments: table(['x-queue-mode', 'lazy']) });
    return peer.declare(`${name}-m`);
  },
  'a queue that expires otherwise now': async (peer) => {
    const queue = `${name}-expires`;
    await peer.declare(queue, { arguments: table(['x-expires', 60_000]) });
    return peer.declare(queue, { arguments: table(['x-expires', 70_000]) });
  },
  'an unknown tag': ask((peer) => peer.ack(7)),
  'a tag of a consumer twice': withQueue(async (peer) => {
    await peer.consume(name);
    return peer.consume(name);
  }),
  'an exclusive consumer among others': withQueue(async (peer) => {
    await peer.consume(name, { consumerTag: 'a' });
    return peer.consume(name, { consumerTag: 'b', exclusive: true });
  }),
  'a prefetch by size': ask((peer) =>
    peer.send(methods.basic.qos, { prefetchSize: 10, prefetchCount: 1, global: false }),
  ),
  'a commit without a transaction': ask((peer) => peer.send(methods.tx.commit, {})),
  'confirms within a transaction': async (peer) => {
    peer.send(methods.tx.select, {});
    await peer.next();
    peer.send(methods.confirm.select, { noWait: false });
    return peer.next();
  },
  'a channel that is not open': ask((peer) => peer.send(methods.confirm.select, { noWait: false }, 7)),
  'a channel that is open': ask((peer) => peer.send(methods.channel.open, { reserved1: '' })),
  'a virtual host that is not there': async (_, __, port) => {
    using peer = await Peer.connect(port);
    const opened = peer.handshake({ virtualHost: 'nope' });
    return opened.then(
      () => 'open',
      (error: Error) => error.message,
    );
  },
};

compareWithRabbit('what RabbitMQ answers, too', cases);
