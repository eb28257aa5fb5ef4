import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { Door } from '../../../src/protocols/connections/index.ts';
import type { Frontend, ListenOptions } from '../../../src/protocols/index.ts';

/** A protocol that says one word. */
class Greeter implements Frontend {
  readonly name = 'greeter';
  readonly authenticates = false;
  readonly sockets: Socket[] = [];
  address: ListenOptions | undefined;

  get connections(): number {
    return this.sockets.length;
  }

  listening(address: ListenOptions): void {
    this.address = address;
  }

  accept(socket: Socket): void {
    this.sockets.push(socket);
    socket.write('hello');
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return Promise.resolve();
  }
}

function doorOf(create: () => Promise<Frontend>): { door: Door; failures: unknown[] } {
  const failures: unknown[] = [];
  const door = new Door({
    name: 'greeter',
    title: 'Greeter',
    authenticates: () => false,
    create,
    onLoadFailed: (error) => failures.push(error),
  });
  return { door, failures };
}

test('the first client has a protocol loaded, and others that come meanwhile wait for the same', async () => {
  const greeter = new Greeter();
  let loads = 0;
  let finish = (): void => {};
  const loaded = new Promise<void>((resolve) => (finish = resolve));
  const { door } = doorOf(async () => {
    loads++;
    await loaded;
    return greeter;
  });
  await door.listen({ host: '127.0.0.1', port: 0 });
  const clients = [connect(door.port!, '127.0.0.1'), connect(door.port!, '127.0.0.1')];
  const greetings = clients.map(async (client) => String((await once(client, 'data'))[0]));
  await Promise.all(clients.map((client) => once(client, 'connect')));
  assert.equal(door.connections, 0);
  finish();
  assert.deepEqual(await Promise.all(greetings), ['hello', 'hello']);
  assert.deepEqual([loads, door.connections], [1, 2]);
  assert.deepEqual(greeter.address, { host: '127.0.0.1', port: door.port });
  await door.close();
});

test('a protocol is loaded without clients, too', async () => {
  let load = (): void => {};
  const loading = new Promise<void>((resolve) => (load = resolve));
  const { door } = doorOf(() => {
    load();
    return Promise.resolve(new Greeter());
  });
  await door.listen({ host: '127.0.0.1', port: 0 });
  await loading;
  await door.close();
});

test('clients of a protocol that cannot be loaded are cut, and that is said once', async () => {
  const { door, failures } = doorOf(() => Promise.reject(new Error('no descriptor left')));
  await door.listen({ host: '127.0.0.1', port: 0 });
  for (let i = 0; i < 2; i++) {
    const client = connect(door.port!, '127.0.0.1').on('error', () => {});
    await once(client, 'close');
  }
  assert.equal(failures.length, 1);
  await door.close();
});
