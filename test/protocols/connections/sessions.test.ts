import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Hall,
  Sessions,
  type Connection,
  type ConnectionInfo,
} from '../../../src/protocols/connections/index.ts';
import { VirtualClock } from '../../../src/util/index.ts';

/** A clock on which work takes time. */
class WorkClock extends VirtualClock {
  #workedMs = 0;

  override monotonic(): number {
    return super.monotonic() + this.#workedMs;
  }

  work(ms: number): void {
    this.#workedMs += ms;
  }
}

test('sessions are looked after in pieces of some milliseconds, each once, and then comes the end of the sweep', () => {
  const clock = new WorkClock({ deferBySystem: false });
  const looks = new Map<Connection, number>();
  let lookedAt = 0;
  const sessions = new Sessions<Connection>({
    registry: new Hall(clock).registry,
    clock,
    connectionsMax: 1000,
    sweepMs: 1000,
    lookAfter: (session) => {
      looks.set(session, (looks.get(session) ?? 0) + 1);
      lookedAt++;
      clock.work(1);
      sessions.remove(session); // its time was up
    },
  });
  const count = 100;
  const info: ConnectionInfo = {
    id: 0,
    protocol: 'test',
    address: '',
    name: '',
    user: null,
    software: '',
    version: '',
    connectedMs: 0,
    inBytes: 0,
    outBytes: 0,
    pendingBytes: 0,
  };
  for (let id = 1; id <= count; id++) sessions.add({ id, info: () => info, kick: () => {} });
  const pieces: number[] = [];
  const defer = clock.defer.bind(clock);
  clock.defer = (callback) => {
    pieces.push(lookedAt);
    defer(callback);
  };
  clock.advance(1000);
  clock.runDeferred();
  assert.deepEqual([looks.size, lookedAt, clock.timerCount], [count, count, 0]);
  assert.ok(pieces[0]! <= 10, `${pieces[0]} of ${count} in the first piece`);
});
