/** RabbitMQ's permission patterns as rules over names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rulesOfPattern } from '../../../src/protocols/amqp/index.ts';

for (const [pattern, allow] of [
  ['.*', ['*']],
  ['^.*$', ['*']],
  ['^.*', ['*']],
  ['^orders$', ['orders']],
  ['^orders', ['orders*']],
  ['^orders-.*', ['orders-*']],
  ['^orders-.*$', ['orders-*']],
  ['^(orders|logs-.*)$', ['orders', 'logs-*']],
  ['^(orders|logs)', ['orders*', 'logs*']],
  ['^amq\\.gen-.*$', ['amq.gen-*']],
  ['^(amq\\.gen.*|amq\\.default)$', ['amq.gen*', 'amq.default']],
  ['^a.b$', ['a.b']],
  ['^a\\$b$', ['a$b']],
] as const)
  test(`${pattern} allows ${allow.join(' and ')}`, () => {
    assert.deepEqual(rulesOfPattern(pattern), { allow });
  });

for (const pattern of ['', '^$'])
  test(`"${pattern}" allows nothing`, () => {
    assert.equal(rulesOfPattern(pattern), undefined);
  });

for (const pattern of [
  'orders',
  'orders$',
  '^a+$',
  '^a?$',
  '^[ab]$',
  '^a|b$',
  '^(a|(b))$',
  '^(a|)$',
  '^a{2}$',
  '^\\d$',
  '^a.*b$',
  '^a*$',
  '^(?!a).*',
  '(',
  '^a\\',
  '^a\\*$',
])
  test(`${pattern} is refused`, () => {
    const refusal = rulesOfPattern(pattern);
    assert.ok(typeof refusal === 'string');
    assert.match(refusal, /is not supported: give names/);
  });
