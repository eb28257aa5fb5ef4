/**
 * One table of names: the names that each protocol allows, how it shows others, and that no two are shown
 * alike.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { coreName, isLegalName, names, shownName, type NameRule } from '../../src/protocols/names.ts';
import { SeededRandom } from '../../src/util/index.ts';

/** A row as SQS would have it: short names of few characters. */
const short: NameRule = {
  alphabet: 'alphanumerics, - and _',
  characters: /^[a-zA-Z0-9_-]+$/,
  longest: { count: 80, unit: 'characters' },
  reserved: [],
  escape: { kind: 'prefix', prefix: 'escaped-', hashPrefix: 'escaped-long-' },
};

const rules: readonly (readonly [string, NameRule])[] = [
  ['NATS', names.nats.topic],
  ['Kafka', names.kafka.topic],
  ['a protocol of short names', short],
];

const known = (...all: string[]): Map<string, undefined> => new Map(all.map((name) => [name, undefined]));

/** Names of 1 to 255 characters, many of them at the edges of the allowed alphabets. */
function randomNames(count: number): string[] {
  const random = new SeededRandom(1);
  const edges = ['世', 'escaped.', 'escaped-', 'escaped-long.', '_2e', '%2E', '.fifo'];
  const letters = [...Array.from('aZ09-_.!* /\\>%é'), ...edges];
  return Array.from({ length: count }, () => {
    let name = '';
    const length = random.int(3) === 0 ? 250 : 1 + random.int(12);
    while (name.length < length) name += letters[random.int(letters.length)]!;
    return name.slice(0, 255);
  });
}

describe('names', () => {
  for (const [protocol, rule] of rules)
    test(`${protocol}: every name is shown, and is found by what is shown`, () => {
      const all = [...new Set([...randomNames(2000), 'orders', 'a.b', '.', '..', 'x'.repeat(255)])];
      const shown = new Map<string, string>();
      for (const name of all) {
        const seen = shownName(name, rule);
        if (rule.escape.kind === 'prefix') assert.ok(isLegalName(seen, rule), seen);
        else assert.match(seen, rule.characters);
        // Percent signs of a name's own may read like an escape: then the name that exists is meant.
        if (rule.escape.kind === 'percent' && /%[0-9A-F]{2}/.test(name)) continue;
        assert.equal(shown.get(seen), undefined, `${name} and ${shown.get(seen)} are told apart`);
        shown.set(seen, name);
        assert.equal(coreName(seen, rule, known(name)), name);
      }
    });

  test('NATS: what cannot be a token has percent signs, unless a thing has that name already', () => {
    const rule = names.nats.topic;
    assert.equal(shownName('a.b/c d', rule), 'a%2Eb%2Fc%20d');
    assert.equal(coreName('a%2Eb', rule, known()), 'a.b');
    assert.equal(coreName('a%2Eb', rule, known('a%2Eb')), 'a%2Eb');
    assert.equal(coreName('a%2eb', rule, known()), 'a%2eb');
  });

  test('Kafka: what it does not allow is escaped, what stays too long is hashed', () => {
    const rule = names.kafka.topic;
    assert.equal(shownName('stock!', rule), 'escaped.stock_21');
    assert.equal(shownName('..', rule), 'escaped._2e_2e');
    assert.equal(shownName('escaped.x', rule), 'escaped.escaped_2ex');
    const long = 'é'.repeat(100);
    assert.match(shownName(long, rule), /^escaped-long\.[\w-]{43}$/);
    assert.equal(coreName(shownName(long, rule), rule, known('a', long)), long);
    assert.equal(coreName(shownName(long, rule), rule, known('a')), undefined);
    assert.equal(coreName('stock!', rule, known('stock!')), undefined, 'only by its shown name');
    assert.equal(coreName('escaped.plain', rule, known('plain')), undefined, 'a name is shown in one way');
  });

  test('names of groups are as they are to Kafka clients', () => {
    assert.equal(shownName('a b/ü', names.kafka.group), 'a b/ü');
    assert.equal(coreName('a b/ü', names.kafka.group, known()), 'a b/ü');
  });

  test('the longest name counts bytes or characters', () => {
    assert.ok(isLegalName('é'.repeat(127), names.nats.topic));
    assert.ok(!isLegalName('é'.repeat(128), names.nats.topic));
    assert.ok(isLegalName('x'.repeat(249), names.kafka.topic));
    assert.ok(!isLegalName('x'.repeat(250), names.kafka.topic));
    assert.ok(!isLegalName('', names.kafka.topic));
  });
});
