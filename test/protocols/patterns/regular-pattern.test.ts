/** Regular expressions of clients: the same texts match as with JavaScript's, and in linear time. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { namePattern } from '../../../src/protocols/amqp/index.ts';
import { TopicPattern } from '../../../src/protocols/kafka/groups/consumer/topic-pattern.ts';
import { RegularPattern, type PatternOptions } from '../../../src/protocols/patterns/index.ts';
import { SeededRandom } from '../../../src/util/index.ts';

function parse(source: string, options: PatternOptions = {}): RegularPattern {
  const pattern = RegularPattern.parse(source, { looksAhead: true, ...options });
  assert.ok(pattern instanceof RegularPattern, `/${source}/ is no pattern`);
  return pattern;
}

function matches(source: string, text: string, options: PatternOptions = {}): boolean {
  return parse(source, options).matches(text);
}

/** Patterns of everything that is understood, and texts of the same few letters. */
const pattern = fc.letrec<{ readonly atom: string; readonly part: string; readonly whole: string }>(
  (tie) => ({
    atom: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(
        'a',
        'b',
        'c',
        '.',
        '\\.',
        '^',
        '$',
        '[ab]',
        '[^a]',
        '[a-c]',
        '[^\\w]',
        '\\d',
        '\\W',
        '-',
      ),
      tie('whole').map((inner) => `(${inner})`),
      tie('whole').map((inner) => `(?:${inner})`),
    ),
    part: fc
      .tuple(tie('atom'), fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,2}', '{0,}', '*?', '+?'))
      .map(([atom, repeat]) => (/^[\^$]$/.test(atom) ? atom : atom + repeat)),
    whole: fc
      .array(fc.array(tie('part'), { maxLength: 3 }), { minLength: 1, maxLength: 2 })
      .map((sequences) => sequences.map((parts) => parts.join('')).join('|')),
  }),
).whole;
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'A', '.', '-', '1'), maxLength: 8 });

/**
 * How deep repeated groups lie in each other. JavaScript tries all ways to match them, and takes minutes for
 * a few letters in a repeat of repeats of repeats.
 */
function repeatsWithin(source: string): number {
  const depths = [0];
  const parts = source.match(/\\.|\[[^\]]*\]|\)[*+?{]?|./gs) ?? [];
  for (const part of parts) {
    if (part === '(') depths.push(0);
    if (!part.startsWith(')')) continue;
    const depth = depths.pop()! + (part.length > 1 ? 1 : 0);
    depths.push(Math.max(depths.pop()!, depth));
  }
  return depths[0]!;
}

describe('a regular pattern', () => {
  test('matches what a regular expression of JavaScript matches', () => {
    fc.assert(
      fc.property(pattern, text, fc.boolean(), fc.boolean(), (source, text, ignoresCase, isWhole) => {
        fc.pre(source.length <= 60 && repeatsWithin(source) <= 2);
        const theirs = new RegExp(isWhole ? `^(?:${source})$` : source, ignoresCase ? 'i' : '');
        assert.equal(
          matches(source, text, { ignoresCase, isWhole }),
          theirs.test(text),
          `/${source}/ of "${text}"${isWhole ? ', whole' : ''}`,
        );
      }),
      { numRuns: 3_000 },
    );
  });

  test('matches a text that it has matched the beginning of, and one that ends there', () => {
    const both = parse('^a|b$');
    for (const [text, expected] of [
      ['ab', true],
      ['xb', true],
      ['xbx', false],
      ['a', true],
      ['', false],
    ] as const)
      assert.equal(both.matches(text), expected, text);
  });

  test('knows braces, sets in classes, and characters beyond 16 bits', () => {
    for (const [source, text, expected] of [
      ['^a{$', 'a{', true],
      ['^a{,2}$', 'a{,2}', true],
      ['^[\\D]+$', 'ab-', true],
      ['^[\\D]+$', 'a1', false],
      ['^[]a]+$', ']a', true],
      ['^[-a]+$', 'a-a', true],
      ['^.$', '\u{1f4ee}', true],
      ['^[^a]$', '\u{1f4ee}', true],
      ['^.$', '\n', false],
    ] as const)
      assert.equal(matches(source, text), expected, `/${source}/ of "${text}"`);
  });

  test('may look ahead after its beginning, as policies for all but some names do', () => {
    const allButReserved = '^(?!amq\\.).*';
    assert.equal(matches(allButReserved, 'orders'), true);
    assert.equal(matches(allButReserved, 'amq.gen-1'), false);
    assert.equal(matches(allButReserved, 'amqp'), true);
    assert.equal(matches('^(?=.*-dlq$)(?!test)o', 'orders-dlq'), true);
    assert.equal(matches('^(?=.*-dlq$)(?!test)o', 'orders'), false);
  });

  test('does not look ahead unless it may', () => {
    assert.deepEqual(RegularPattern.parse('^(?!a)b'), { kind: 'unknown-group', at: 1 });
  });

  test('takes no more steps for a text that makes others try everything', () => {
    // With backtracking, these take longer than the universe lasts.
    const nested = parse('^(a+)+(a|aa)*(a*)*$');
    assert.equal(nested.matches(`${'a'.repeat(250)}!`), false);
    const counted = parse('(a*)*(a|a)*(a?){40}a{40}b', { isWhole: true });
    assert.equal(counted.matches('a'.repeat(240)), false);
    for (const { steps } of [nested, counted]) assert.ok(steps < 240 * 300, `${steps} steps`);
  });

  test('takes a step per character of texts like those before, however large it is', () => {
    const pattern = parse('(a*){500}', { isWhole: true });
    const longest = 249;
    pattern.matches('a'.repeat(longest));
    const before = pattern.steps;
    for (let i = 0; i < 20; i++) pattern.matches('a'.repeat(longest));
    assert.equal(pattern.steps - before, 20 * longest);
    assert.ok(before < 20_000, `${before} steps to begin with`);
  });

  test('makes states again that it has forgotten', () => {
    const pattern = parse('(a|b)(a|b){12}c');
    const random = new SeededRandom(2);
    for (let i = 0; i < 500; i++) {
      const text = Array.from({ length: 60 }, () => 'abc'[random.int(3)]).join('');
      assert.equal(pattern.matches(text), /[ab]{13}c/.test(text), text);
    }
  });

  for (const [source, problem] of [
    ['a(', { kind: 'unclosed-group', at: 1 }],
    ['a)', { kind: 'unopened-group', at: 1 }],
    ['a[b', { kind: 'unclosed-class', at: 1 }],
    ['[b-a]', { kind: 'bad-range', at: 0 }],
    ['[[:alpha:]]', { kind: 'named-class', at: 1 }],
    ['*a', { kind: 'nothing-to-repeat', at: 0, text: '*' }],
    ['a+*', { kind: 'repeated-repeat', at: 2, text: '*' }],
    ['a{3,2}', { kind: 'bad-count', text: '{3,2}' }],
    ['a{1001}', { kind: 'bad-count', text: '{1001}' }],
    ['a\\', { kind: 'open-escape' }],
    ['(a)\\1', { kind: 'unknown-escape', text: '\\1' }],
    ['[\\b]', { kind: 'unknown-escape', text: '\\b' }],
    ['a(?!b)', { kind: 'unknown-group', at: 1 }],
    ['^(?!a)b|c', { kind: 'bare-alternatives' }],
    ['a'.repeat(2_001), { kind: 'too-long' }],
    ['((a{255}){255}){255}', { kind: 'repeats-too-much' }],
    ['(((){255}){255}){255}', { kind: 'repeats-too-much' }],
    ['(a*){1000}', { kind: 'repeats-too-much' }],
    [`${'('.repeat(110)}a${')'.repeat(110)}`, { kind: 'too-deep' }],
  ] as const)
    test(`${source.slice(0, 30)} is refused`, () => {
      assert.deepEqual(RegularPattern.parse(source, { looksAhead: true }), problem);
    });

  test('is refused in the words of its protocol', () => {
    assert.equal(namePattern('a('), 'missing closing parenthesis');
    assert.equal(namePattern('a'.repeat(2_001)), 'a pattern has at most 2000 characters');
    assert.throws(() => new TopicPattern('a('), {
      code: 128,
      message: '"a(" is no pattern of topics: "(" at 1 is never closed.',
    });
  });
});
