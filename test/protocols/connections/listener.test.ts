import assert from 'node:assert/strict';
import { type Socket, connect } from 'node:net';
import { test } from 'node:test';
import { Listener } from '../../../src/protocols/connections/index.ts';
import { eventually } from '../../support/index.ts';

const clients = 120;

function open(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  return socket;
}

test('a crowd gets a listener more handles: then a turn of the event loop takes many connections', async () => {
  let turn = 0;
  let isTurning = true;
  const takenPerTurn = new Map<number, number>();
  const accepted: Socket[] = [];
  const listener = Listener.for((socket) => {
    accepted.push(socket);
    takenPerTurn.set(turn, (takenPerTurn.get(turn) ?? 0) + 1);
  });
  const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
  const sockets: Socket[] = [];
  const next = (): void => {
    turn++;
    if (isTurning) setImmediate(next);
  };
  try {
    assert.equal(listener.handles, 1);
    for (let at = 0; at < clients; at++) sockets.push(open(port));
    await eventually(() => accepted.length === clients);
    await eventually(() => listener.handles === 16);
    next();
    takenPerTurn.clear();
    for (let at = 0; at < clients; at++) sockets.push(open(port));
    await eventually(() => accepted.length === 2 * clients);
    // One a turn without copies. The number per turn depends on the system, but some turns must accept
    // several.
    assert.ok(Math.max(...takenPerTurn.values()) > 1, JSON.stringify([...takenPerTurn.values()]));
  } finally {
    isTurning = false;
    for (const socket of [...sockets, ...accepted]) socket.destroy();
    await listener.close();
  }
  const late = open(port);
  await eventually(() => late.closed);
  assert.equal(accepted.length, 2 * clients, 'no copy listens on after the close');
});

test('a listener that is closed while copies are made listens with none of them', async () => {
  const accepted: Socket[] = [];
  const listener = Listener.for((socket) => accepted.push(socket));
  const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
  const sockets = Array.from({ length: 70 }, () => open(port));
  await eventually(() => accepted.length === 70);
  for (const socket of [...sockets, ...accepted]) socket.destroy();
  await listener.close();
  await eventually(() => listener.handles === 16);
  const late = open(port);
  await eventually(() => late.closed);
  assert.equal(accepted.length, 70);
});
