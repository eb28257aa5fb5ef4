import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
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
    'a{',
    'a{5,2}',
    'a{9999}',
    '\\',
    '[b-a]',
    '[\\D]',
  ])
    assert.throws(
      () => new TopicPattern(pattern),
      { code: 128, message: /is no pattern of topics/ },
      pattern,
    );
  assert.throws(() => new TopicPattern('a'.repeat(2001)), { code: 128 });
  assert.throws(() => new TopicPattern('('.repeat(500) + ')'.repeat(500)), { code: 128 });
  assert.throws(() => new TopicPattern('((a{100}){100}){100}'), { code: 128 });
  assert.throws(() => new TopicPattern('(a*){1200}'), { code: 128 });
});

test('a pattern that many names go through takes a step per character, however large it is', () => {
  const pattern = new TopicPattern('(a*){500}');
  const longest = 249;
  pattern.matches('a'.repeat(longest));
  const before = pattern.steps;
  for (let i = 0; i < 20; i++) pattern.matches('a'.repeat(longest));
  assert.equal(pattern.steps - before, 20 * longest);
  assert.ok(before < 20_000, `${before} steps to begin with`);
});

test('no pattern takes more steps than name times pattern', () => {
  const pattern = new TopicPattern('(a*)*(a|a)*(a?){40}a{40}b');
  assert.equal(pattern.matches('a'.repeat(240)), false);
  assert.ok(pattern.steps < 240 * 300, `${pattern.steps} steps`);
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

test('states that are forgotten are made again', () => {
  const pattern = new TopicPattern('.*(a|b)(a|b){12}c.*');
  const random = new SeededRandom(2);
  for (let i = 0; i < 500; i++) {
    const name = Array.from({ length: 60 }, () => 'abc'[random.int(3)]).join('');
    assert.equal(pattern.matches(name), /[ab]{13}c/.test(name), name);
  }
});

/** Patterns of the subset, as text. */
const patterns = fc.letrec<{ pattern: string; branch: string; piece: string; atom: string }>((tie) => ({
  pattern: fc.array(tie('branch'), { minLength: 1, maxLength: 3 }).map((branches) => branches.join('|')),
  branch: fc.array(tie('piece'), { maxLength: 4 }).map((pieces) => pieces.join('')),
  piece: fc
    .tuple(
      tie('atom'),
      fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,2}', '{0,1}', '{1,}', '*?', '+?'),
    )
    .map((parts) => parts.join('')),
  atom: fc.oneof(
    // Deeper ones keep the engine's own matcher, which backtracks, busy for ever.
    { maxDepth: 2, withCrossShrink: true },
    fc.constantFrom('a', 'b', 'c', '.', '[ab]', '[^a]', '[a-b]', '\\w', '\\d', '\\.', '-'),
    tie('pattern').map((pattern) => `(${pattern})`),
  ),
})).pattern;

test('it agrees with the engine’s own expressions', () => {
  fc.assert(
    fc.property(
      patterns,
      fc.string({ unit: fc.constantFrom('a', 'b', 'c', '.', '-', '1'), maxLength: 6 }),
      (pattern, name) => {
        assert.equal(
          matches(pattern, name),
          new RegExp(`^(?:${pattern})$`).test(name),
          `${pattern} on ${name}`,
        );
      },
    ),
    { numRuns: 2000 },
  );
});
