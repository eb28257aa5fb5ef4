import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FailureTable } from '../../../src/protocols/connections/login-failures.ts';
import { LoginThrottle, addressKey } from '../../../src/protocols/connections/login-throttle.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';

function withThrottle(delayMsMax: number = 10_000): { clock: VirtualClock; logins: LoginThrottle } {
  const clock = new VirtualClock();
  return { clock, logins: new LoginThrottle(clock, { delayMsMax }) };
}

/** Guesses made within a time, by so many connections that each wait for their answer. */
function guesses(
  { clock, logins }: ReturnType<typeof withThrottle>,
  forMs: number,
  addressOf: (guess: number) => string,
  user: string = 'ann',
): number {
  const endMs = clock.monotonic() + forMs;
  let count = 0;
  for (let tried = 0; tried < 100_000; tried++) {
    const waitMs = logins.admit(addressOf(tried), user);
    if (waitMs === undefined) {
      clock.advance(1);
    } else {
      clock.advance(waitMs);
      if (clock.monotonic() >= endMs) return count;
      logins.failed(addressOf(tried), user);
      count++;
    }
    if (clock.monotonic() >= endMs) return count;
  }
  return count;
}

describe('wrong passwords', () => {
  test('from one address are looked at ever more slowly', () => {
    const kit = withThrottle();
    const waits = Array.from({ length: 15 }, () => {
      const waitMs = kit.logins.admit('1.2.3.4', 'ann') ?? -1;
      kit.clock.advance(waitMs);
      kit.logins.failed('1.2.3.4', 'ann');
      return waitMs;
    });
    assert.deepEqual(waits, [0, 0, 0, 0, 0, 0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  });

  test('from one address are some 70 in ten minutes, whatever the users', () => {
    const kit = withThrottle();
    let user = 0;
    const endMs = kit.clock.monotonic() + 600_000;
    let count = 0;
    while (kit.clock.monotonic() < endMs && count < 1_000) {
      const name = `user-${user++}`;
      kit.clock.advance(kit.logins.admit('1.2.3.4', name) ?? 1000);
      kit.logins.failed('1.2.3.4', name);
      count++;
    }
    assert.ok(count < 80, `${count}`);
  });

  test('of one user from a hundred addresses are slowed down together', () => {
    const count = guesses(withThrottle(), 600_000, (guess) => `10.0.0.${guess % 100}`);
    assert.ok(count < 300, `${count}`);
  });

  test('that come at once wait in order, and beyond two of the longest delays they are refused', () => {
    const { logins } = withThrottle(1_000);
    for (let i = 0; i < 20; i++) logins.failed('1.2.3.4', 'ann');
    const waits = Array.from({ length: 6 }, () => logins.admit('1.2.3.4', 'ann'));
    assert.deepEqual(waits, [1_000, 2_000, undefined, undefined, undefined, undefined]);
  });

  test('are forgotten after a quarter of an hour without one', () => {
    const { clock, logins } = withThrottle();
    for (let i = 0; i < 20; i++) logins.failed('1.2.3.4', 'ann');
    clock.advance(15 * 60_000);
    assert.equal(logins.admit('1.2.3.4', 'ann'), 0);
    assert.equal(logins.admit('5.6.7.8', 'ann'), 0);
  });
});

describe('the right password', () => {
  test('waits for a second at most at an address without failures', () => {
    const { logins } = withThrottle();
    for (let i = 0; i < 100; i++) logins.failed(`10.0.0.${i}`, 'ann');
    for (let i = 0; i < 50; i++) assert.equal(logins.admit('5.6.7.8', 'ann'), 1_000);
    assert.equal(logins.admit('5.6.7.8', 'bob'), 0);
  });

  test('does not wait for the guesses of others, at an address from which it came before', () => {
    const { logins } = withThrottle();
    logins.succeeded('5.6.7.8', 'ann');
    for (let i = 0; i < 100; i++) logins.failed('1.2.3.4', 'ann');
    for (let i = 0; i < 100; i++) logins.failed('5.6.7.8', `user-${i}`);
    assert.equal(logins.admit('5.6.7.8', 'ann'), 0);
  });

  test('waits for a quarter of a second at most where it came before and the same user guesses', () => {
    const { clock, logins } = withThrottle();
    logins.succeeded('5.6.7.8', 'ann');
    for (let i = 0; i < 100; i++) logins.failed('5.6.7.8', 'ann');
    assert.equal(logins.admit('5.6.7.8', 'ann'), 250);
    clock.advance(250);
    logins.succeeded('5.6.7.8', 'ann');
    clock.advance(250);
    assert.equal(logins.admit('5.6.7.8', 'ann'), 0);
  });
});

test('a delay of 0 switches the throttle off', () => {
  const { logins } = withThrottle(0);
  for (let i = 0; i < 100; i++) logins.failed('1.2.3.4', 'ann');
  assert.equal(logins.admit('1.2.3.4', 'ann'), 0);
});

test('the tables of failures are bounded: the key that failed least recently goes first', () => {
  const table = new FailureTable(3, 1_000);
  for (const key of ['a', 'b', 'c', 'a', 'd']) table.touch(key, 0).count++;
  assert.equal(table.size, 3);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => table.get(key, 0)?.count),
    [2, undefined, 1, 1],
  );
});

test('the addresses of an IPv6 network count as one, and a mapped IPv4 address as itself', () => {
  assert.equal(addressKey('10.0.0.1'), '10.0.0.1');
  assert.equal(addressKey('::ffff:10.0.0.1'), '10.0.0.1');
  assert.equal(addressKey('2001:db8:0:1::5'), addressKey('2001:0db8:0000:0001:ffff::1'));
  assert.notEqual(addressKey('2001:db8:0:1::5'), addressKey('2001:db8:0:2::5'));
  assert.equal(addressKey('::1'), addressKey('::2'));
  assert.equal(addressKey('fe80::1%eth0'), addressKey('fe80::2'));
});
