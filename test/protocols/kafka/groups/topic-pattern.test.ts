import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../../src/util/index.ts';
import { TopicPattern } from '../../../../src/protocols/kafka/groups/consumer/topic-pattern.ts';

const matches = (pattern: string, name: string): boolean => new TopicPattern(pattern).matches(name);

test('a pattern matches a whole name', () => {
  for (const [pattern, name, expected] of [
    ['orders', 'orders', true],
    ['orders', 'orders-2', false],
    ['rders', 'orders', false],
    ['orders.*', 'orders-2', true],
    ['orders\\.eu', 'orders.eu', true],
    ['orders\\.eu', 'orders-eu', false],
    ['(a|bc)+', 'abcbca', true],
    ['(a|bc)+', 'abcb', false],
    ['(?:a|b)?c', 'c', true],
    ['[a-c]{2,3}', 'abc', true],
    ['[a-c]{2,3}', 'a', false],
    ['[a-c]{2,3}', 'abca', false],
    ['[^0-9]+', 'abc', true],
    ['[^0-9]+', 'a1', false],
    ['[-a]+', 'a-a', true],
    ['[]a]+', ']a', true],
    ['\\w+-\\d\\d', 'ab_c-12', true],
    ['^orders$', 'orders', true],
    ['a^b', 'ab', false],
    ['', '', true],
    ['', 'a', false],
    ['a{3}', 'aaa', true],
    ['a{2,}', 'aaaaa', true],
    ['a{2,}', 'a', false],
    ['(?i)ORDers-[A-C]', 'orders-B', true],
    ['a||b', '', true],
    ['a+?b', 'aab', true],
  ] as const)
    assert.equal(matches(pattern, name), expected, `${pattern} on ${name}`);
});

test('unsupported syntax is refused, with the place', () => {
  for (const pattern of [
    '(',
    ')',
    '[',
    '*',
    'a(?=b)',
    '(?<n>a)',
    '\\1',
    '\\b',
    'a{5,2}',
    'a{9999}',
    '\\',
    '[b-a]',
    '^(?!a)b',
    'a**',
  ])
    assert.throws(
      () => new TopicPattern(pattern),
      { code: 128, message: /is no pattern of topics/ },
      pattern,
    );
  assert.throws(() => new TopicPattern('a'.repeat(2001)), { code: 128 });
  assert.throws(() => new TopicPattern('('.repeat(500) + ')'.repeat(500)), { code: 128 });
  assert.throws(() => new TopicPattern('((a{100}){100}){100}'), { code: 128 });
  assert.throws(() => new TopicPattern('(a*){1000}'), { code: 128 });
});

test('a pattern with ever new states is refused once it has taken far more steps than names have characters', () => {
  const pattern = new TopicPattern('(a|b)*a(a|b){400}');
  const random = new SeededRandom(1);
  const name = (): string => Array.from({ length: 249 }, () => 'ab'[random.int(2)]).join('');
  assert.doesNotThrow(() => pattern.checkCost());
  let names = 0;
  assert.throws(
    () => {
      for (; names < 1000; names++) {
        assert.equal(pattern.matches(name()), false);
        pattern.checkCost();
      }
    },
    { code: 128, message: /too many steps/ },
  );
  assert.ok(pattern.steps < 1_500_000, `${pattern.steps} steps over ${names} names`);
});
