/** Regular expressions of clients: the same texts match as with JavaScript's, and in linear time. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { RegularPattern } from '../../../src/protocols/amqp/index.ts';

function matches(source: string, text: string, ignoresCase = false): boolean {
  const pattern = RegularPattern.parse(source, { ignoresCase });
  assert.ok(pattern instanceof RegularPattern, `/${source}/ is no pattern`);
  return pattern.matches(text);
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

describe('a regular pattern', () => {
  test('matches what a regular expression of JavaScript matches', () => {
    fc.assert(
      fc.property(pattern, text, fc.boolean(), (source, text, ignoresCase) => {
        fc.pre(source.length <= 60);
        const expected = new RegExp(source, ignoresCase ? 'i' : '').test(text);
        assert.equal(matches(source, text, ignoresCase), expected, `/${source}/ of "${text}"`);
      }),
      { numRuns: 2_000 },
    );
  });

  test('may look ahead after its beginning, as policies for all but some names do', () => {
    const allButReserved = '^(?!amq\\.).*';
    assert.equal(matches(allButReserved, 'orders'), true);
    assert.equal(matches(allButReserved, 'amq.gen-1'), false);
    assert.equal(matches(allButReserved, 'amqp'), true);
    assert.equal(matches('^(?=.*-dlq$)(?!test)o', 'orders-dlq'), true);
    assert.equal(matches('^(?=.*-dlq$)(?!test)o', 'orders'), false);
  });

  test('takes no more time for a text that makes others try everything', () => {
    // With backtracking, this takes longer than the universe lasts.
    assert.equal(matches('^(a+)+(a|aa)*(a*)*$', `${'a'.repeat(250)}!`), false);
  });

  for (const [source, problem] of [
    ['(', 'missing closing parenthesis'],
    [')', 'unmatched closing parenthesis'],
    ['[a', 'missing terminating ] for character class'],
    ['[b-a]', 'range out of order in character class'],
    ['*a', 'quantifier does not follow a repeatable item'],
    ['a{3,2}', 'numbers in {} quantifier out of order or too large'],
    ['a\\', '\\ at end of pattern'],
    ['(a)\\1', 'the escape \\1 is not supported'],
    ['a(?!b)', 'of groups with "(?", only "(?:", and "(?!" and "(?=" after "^", are supported'],
    ['^(?!a)b|c', 'after a lookahead, alternatives need parentheses around them'],
    ['a'.repeat(256), 'a pattern has at most 255 characters'],
    ['((a{255}){255}){255}', 'the pattern repeats too much'],
    ['(((){255}){255}){255}', 'the pattern repeats too much'],
    [`${'('.repeat(60)}a${')'.repeat(60)}`, 'parentheses are more than 50 deep'],
  ] as const)
    test(`${source.slice(0, 30)} is refused`, () => {
      assert.equal(RegularPattern.parse(source), problem);
    });
});
