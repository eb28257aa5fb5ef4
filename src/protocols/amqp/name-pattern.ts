import { patternBounds, RegularPattern, wordsFor, type PatternWords } from '../patterns/index.ts';

/** What PCRE says, which RabbitMQ passes on, as far as it has words for it. */
const words: PatternWords = {
  'too-long': () => `a pattern has at most ${patternBounds.charactersMax} characters`,
  'too-deep': () => `parentheses are more than ${patternBounds.depthMax} deep`,
  'repeats-too-much': () => 'the pattern repeats too much',
  'bad-count': () => 'numbers in {} quantifier out of order or too large',
  'nothing-to-repeat': () => 'quantifier does not follow a repeatable item',
  'repeated-repeat': () => 'nothing to repeat',
  'unopened-group': () => 'unmatched closing parenthesis',
  'unclosed-group': () => 'missing closing parenthesis',
  'unknown-group': () => 'of groups with "(?", only "(?:", and "(?!" and "(?=" after "^", are supported',
  'bare-alternatives': () => 'after a lookahead, alternatives need parentheses around them',
  'unclosed-class': () => 'missing terminating ] for character class',
  'named-class': () => 'POSIX classes are not supported',
  'bad-range': () => 'range out of order in character class',
  'unknown-escape': ({ text }) => `the escape ${text} is not supported`,
  'open-escape': () => '\\ at end of pattern',
};

/**
 * A pattern of names, which matches names that it matches a part of; or, as a text, what is wrong with it.
 */
export function namePattern(
  source: string,
  { ignoresCase = false }: { readonly ignoresCase?: boolean } = {},
): RegularPattern | string {
  const pattern = RegularPattern.parse(source, { ignoresCase, looksAhead: true });
  return pattern instanceof RegularPattern ? pattern : wordsFor(words, pattern);
}
