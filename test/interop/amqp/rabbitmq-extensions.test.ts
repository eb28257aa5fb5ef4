/** What RabbitMQ and its plugins add to AMQP: the same requests to us and to RabbitMQ. */
import { methods, type FieldValue } from '../../../src/wire/amqp/index.ts';
import type { Peer } from '../../protocols/amqp/amqp-kit.ts';
import { uniqueName } from '../../support/index.ts';
import { compareWithRabbit, table, type Act } from './rabbitmq-kit.ts';

const name = uniqueName('q');

/** Declares an exchange, with these arguments, and binds a queue by this key. */
function exchange(type: string, key: string | undefined, ...entries: [string, FieldValue][]): Act {
  return async (peer) => {
    const x = uniqueName('x');
    const declared = await peer.exchange(x, type, { arguments: table(...entries) });
    if (key === undefined) return declared;
    await peer.declare(name);
    return peer.bind(name, x, key);
  };
}

/** The next dead letter of `letters`, once there is one, without its times. */
async function letterOf(peer: Peer, letters: string): Promise<string> {
  for (;;) {
    peer.get(letters, true);
    const method = await peer.next();
    if (method.startsWith('1 basic.get-empty')) continue;
    const header = await peer.next();
    await peer.next();
    const fields = Object.entries(
      (JSON.parse(header.slice(header.indexOf('{'))) as { headers: Record<string, unknown> }).headers,
    ).toSorted(([one], [other]) => (one < other ? -1 : 1));
    return `${method.replace(/"messageCount":\d+/, '')} ${JSON.stringify(fields)}`.replaceAll(
      /"seconds":\d+/g,
      '',
    );
  }
}

compareWithRabbit('what RabbitMQ answers about its extensions, too', {
  'a weight that is no number': exchange('x-consistent-hash', 'many'),
  'a weight of nothing': exchange('x-consistent-hash', '0'),
  'a weight below nothing': exchange('x-consistent-hash', '-3'),
  'a weight': exchange('x-consistent-hash', '12'),
  'a hash of two things': exchange(
    'x-consistent-hash',
    undefined,
    ['hash-header', 'a'],
    ['hash-property', 'message_id'],
  ),
  'a hash of an unknown property': exchange('x-consistent-hash', undefined, ['hash-property', 'app_id']),
  'a hash of a property': exchange('x-consistent-hash', '1', ['hash-property', 'correlation_id']),
  'an exchange by chance': exchange('x-random', 'any'),
  'a mandatory message to an exchange by chance without queues': async (peer) => {
    const x = uniqueName('x');
    await peer.exchange(x, 'x-random');
    peer.publish(x, 'k', 'b', { mandatory: true });
    return (await peer.message()).method.replace(x, 'x');
  },
  'a publish that a full queue buries': async (peer) => {
    const [queue, letters] = [`${name}-full`, `${name}-letters`];
    await peer.declare(letters);
    await peer.declare(queue, {
      arguments: table(
        ['x-max-length', 1],
        ['x-overflow', 'reject-publish-dlx'],
        ['x-dead-letter-exchange', ''],
        ['x-dead-letter-routing-key', letters],
      ),
    });
    peer.send(methods.confirm.select, { noWait: false });
    await peer.next();
    peer.publish('', queue, 'first');
    await peer.next();
    peer.publish('', queue, 'second', { headers: table(['CC', [`${name}-none`]], ['mine', 1]) });
    const answer = await peer.next();
    // The flags of a nack of the server mean nothing.
    return `${answer.replace(/,"multiple.*/, '')} ${await letterOf(peer, letters)}`;
  },
  'a dead letter with copies': async (peer) => {
    const [queue, letters] = [`${name}-dies`, `${name}-rest`];
    await peer.declare(letters);
    await peer.bind(letters, 'amq.direct', 'copy');
    await peer.declare(queue, { arguments: table(['x-dead-letter-exchange', 'amq.direct']) });
    peer.publish('', queue, 'm', { headers: table(['CC', ['copy']]) });
    await peer.consume(queue);
    await peer.message();
    peer.nack(1, false);
    return letterOf(peer, letters);
  },
});
