import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Broker } from '../../../src/broker/index.ts';
import { MemoryFiles } from '../../../src/log/index.ts';
import { Hall } from '../../../src/protocols/connections/index.ts';
import { KafkaFrontend } from '../../../src/protocols/kafka/index.ts';
import { NatsFrontend } from '../../../src/protocols/nats/index.ts';
import { eventually } from '../../support/index.ts';

test('connections of all protocols share one list and one sequence of ids, and an id ends a connection', async () => {
  const broker = await Broker.open({ dir: 'data', files: new MemoryFiles() });
  const hall = new Hall(broker.clock);
  const frontends = [new NatsFrontend({ router: broker.router, hall }), new KafkaFrontend({ broker, hall })];
  const open = async (at: number): Promise<ReturnType<typeof connect>> => {
    const { port } = await frontends[at]!.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {}).resume();
    return socket;
  };
  try {
    const nats = await open(0);
    await eventually(() => hall.registry.size === 1);
    const kafka = await open(1);
    await eventually(() => hall.registry.size === 2);
    assert.deepEqual(
      hall.registry.list().map(({ id, protocol }) => ({ id, protocol })),
      [
        { id: 1, protocol: 'nats' },
        { id: 2, protocol: 'kafka' },
      ],
    );
    hall.registry.get(1)!.kick();
    await eventually(() => nats.closed);
    await eventually(() => hall.registry.size === 1);
    assert.equal(hall.registry.get(1), undefined);
    assert.equal(kafka.destroyed, false);
    hall.registry.get(2)!.kick();
    await eventually(() => hall.registry.size === 0 && kafka.closed);
  } finally {
    for (const frontend of frontends) await frontend.close();
    await broker.close();
  }
});
