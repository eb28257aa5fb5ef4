import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  hasWildcards,
  isPublishSubject,
  isSubscribeSubject,
  subjectCovers,
  subjectMatches,
  subjectTokens,
  subjectsOverlap,
} from '../../src/util/index.ts';

const token = fc.constantFrom('a', 'b', 'c', 'a*', 'foo>', 'ü');
const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
const pattern = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([tokens, rest]) => [...tokens, ...(rest ? ['>'] : [])].join('.'));

/** All subjects of up to four of these tokens: enough to see every way in which two patterns can differ. */
function* subjects(tokens: readonly string[], depth: number): Generator<string> {
  for (const token of tokens) {
    yield token;
    if (depth > 1) for (const rest of subjects(tokens, depth - 1)) yield `${token}.${rest}`;
  }
}

/** The definition, word for word. */
function matches(patternTokens: readonly string[], tokens: readonly string[]): boolean {
  const [first, ...rest] = patternTokens;
  if (first === undefined) return tokens.length === 0;
  if (tokens.length === 0) return false;
  if (first === '>' && rest.length === 0) return true;
  return (first === '*' || first === tokens[0]) && matches(rest, tokens.slice(1));
}

describe('subject', () => {
  it('is valid to subscribe to when no token is empty and > comes last', () => {
    for (const good of [
      'a',
      'a.b',
      '*',
      '>',
      'a.*.b',
      'a.>',
      'foo*',
      'foo>',
      'a*.b>',
      '*.>',
      'größe.日本',
      '$JS.API.>',
      'a>.b',
    ]) {
      assert.equal(isSubscribeSubject(good), true, good);
    }
    for (const bad of [
      '',
      '.',
      'a.',
      '.a',
      'a..b',
      '>.a',
      'a.>.b',
      'a b',
      'a\tb',
      'a\r',
      'a\nb',
      'a.\f',
      '\0',
    ]) {
      assert.equal(isSubscribeSubject(bad), false, JSON.stringify(bad));
    }
  });

  it('is valid to publish to when it has no wildcard token', () => {
    for (const good of ['a', 'a.b', 'foo*', 'foo>', 'a.*b']) assert.equal(isPublishSubject(good), true, good);
    for (const bad of ['*', '>', 'a.*', 'a.>', 'a..b', '*.a'])
      assert.equal(isPublishSubject(bad), false, bad);
  });

  it('has wildcards only where * or > is a whole token', () => {
    for (const wild of ['*', '>', 'a.*', '*.a', 'a.*.b', 'a.>']) assert.equal(hasWildcards(wild), true, wild);
    for (const plain of ['a', 'a*', '*a', 'a.b>', '>>', '**', 'a.**.b'])
      assert.equal(hasWildcards(plain), false, plain);
  });

  it('splits into tokens', () => {
    assert.deepEqual(subjectTokens('a.b.>'), ['a', 'b', '>']);
  });

  it('matches as the definition says', () => {
    fc.assert(
      fc.property(pattern, subject, (pattern, subject) => {
        assert.equal(subjectMatches(pattern, subject), matches(pattern.split('.'), subject.split('.')));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes > for one or more tokens and * for exactly one', () => {
    assert.equal(subjectMatches('a.>', 'a'), false);
    assert.equal(subjectMatches('a.>', 'a.b.c'), true);
    assert.equal(subjectMatches('a.*', 'a'), false);
    assert.equal(subjectMatches('a.*', 'a.b.c'), false);
    assert.equal(subjectMatches('foo>', 'foox'), false);
  });

  const universe = [...subjects(['a', 'b', 'c', 'a*', 'foo>', 'ü', 'x'], 5)];

  it('patterns overlap exactly when some subject matches both', () => {
    fc.assert(
      fc.property(pattern, pattern, (one, other) => {
        const shared = universe.some(
          (subject) => subjectMatches(one, subject) && subjectMatches(other, subject),
        );
        assert.equal(subjectsOverlap(one, other), shared, `${one} and ${other}`);
        assert.equal(subjectsOverlap(other, one), shared);
      }),
      { numRuns: 150 },
    );
  });

  it('a pattern covers another exactly when all subjects of that match it', () => {
    fc.assert(
      fc.property(pattern, pattern, (outer, inner) => {
        const all = universe.every(
          (subject) => !subjectMatches(inner, subject) || subjectMatches(outer, subject),
        );
        assert.equal(subjectCovers(outer, inner), all, `${outer} over ${inner}`);
      }),
      { numRuns: 150 },
    );
  });
});
