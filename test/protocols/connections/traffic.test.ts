import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, ConnectionInfo } from '../../../src/protocols/connections/connection.ts';
import { ConnectionRegistry } from '../../../src/protocols/connections/registry.ts';

class Client implements Connection {
  readonly id: number;
  readonly #counted: { inBytes: number; outBytes: number; requests?: number };
  readonly #protocol: string;

  constructor(
    id: number,
    protocol: string,
    counted: { inBytes: number; outBytes: number; requests?: number },
  ) {
    this.id = id;
    this.#protocol = protocol;
    this.#counted = counted;
  }

  info(): ConnectionInfo {
    const rest = {
      address: '',
      name: '',
      user: null,
      software: '',
      version: '',
      connectedMs: 0,
      pendingBytes: 0,
    };
    return { id: this.id, protocol: this.#protocol, ...rest, ...this.#counted };
  }

  kick(): void {}
}

test('the traffic of a protocol has what its closed connections carried', async () => {
  const registry = new ConnectionRegistry(Infinity);
  const first = new Client(1, 'kafka', { inBytes: 10, outBytes: 1, requests: 3 });
  registry.add(first);
  registry.add(new Client(2, 'kafka', { inBytes: 5, outBytes: 2, requests: 1 }));
  registry.add(new Client(3, 'nats', { inBytes: 7, outBytes: 0 }));
  registry.remove(first);
  registry.remove(first); // counts once
  const traffic = await registry.traffic(() => Promise.resolve());
  assert.deepEqual(Object.fromEntries(traffic), {
    kafka: { connections: 2, inBytes: 15, outBytes: 3, requests: 4 },
    nats: { connections: 1, inBytes: 7, outBytes: 0 },
  });
});

test('the traffic never shrinks, and reads many connections with rests', async () => {
  const registry = new ConnectionRegistry(Infinity);
  const clients = Array.from(
    { length: 5000 },
    (_, id) => new Client(id, 'nats', { inBytes: 1, outBytes: 1 }),
  );
  for (const client of clients) registry.add(client);
  let rests = 0;
  const first = await registry.traffic(() => {
    registry.remove(clients[rests]!); // is counted as open and as closed
    rests++;
    return Promise.resolve();
  });
  assert.equal(rests, 2);
  const told = first.get('nats')?.inBytes ?? 0;
  const later = await registry.traffic(() => Promise.resolve());
  assert.ok((later.get('nats')?.inBytes ?? 0) >= told);
});
