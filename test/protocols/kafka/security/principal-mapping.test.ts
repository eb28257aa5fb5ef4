import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { PrincipalMapping } from '../../../../src/protocols/kafka/security/principal-mapping.ts';
import { parsePattern } from '../../../../src/protocols/kafka/security/subject-pattern.ts';

test('rules of Kafka’s documentation', () => {
  const rules = [
    'RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/',
    'RULE:^CN=(.*?),OU=(.*?),O=(.*?),L=(.*?),ST=(.*?),C=(.*?)$/$1@$2/L',
    'RULE:^.*[Cc][Nn]=([a-zA-Z0-9.]*).*$/$1/L',
    'DEFAULT',
  ].join(', ');
  const mapping = new PrincipalMapping(rules);
  const cases: readonly (readonly [subject: string, name: string])[] = [
    ['CN=serviceuser,OU=ServiceUsers,O=Unknown,L=Unknown,ST=Unknown,C=Unknown', 'serviceuser'],
    ['CN=adminUser,OU=Admin,O=Unknown,L=Unknown,ST=Unknown,C=Unknown', 'adminuser@admin'],
    ['O=Other,cn=Some.One,C=DE', 'some.one'],
    ['OU=None', 'OU=None'],
  ];
  for (const [subject, name] of cases) assert.equal(mapping.nameOf(subject), name);
  assert.equal(new PrincipalMapping('RULE:^CN=a$/b/U').nameOf('CN=a'), 'B');
  assert.equal(new PrincipalMapping('RULE:^CN=a$/b/').nameOf('CN=c'), undefined, 'no rule fits');
  assert.equal(new PrincipalMapping('RULE:CN=(.)(.)/$2$1$3/').nameOf('CN=ab'), 'ba$3');
});

test('rules that cannot be read are refused', () => {
  for (const rules of [
    'RULE:^CN=(a/x/',
    'CN=(.*)',
    'RULE:(a|b)/x/',
    'RULE:(a+)+/x/',
    'RULE:a{2}/x/',
    'RULE:(?=a)/x/',
    'RULE:\\bx/x/',
    'DEFAULT x',
  ])
    assert.throws(() => new PrincipalMapping(rules), /rule|not supported/, rules);
});

const piece = fc.oneof(
  fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\.'),
  fc.constantFrom('a*', 'a+?', '.*', '.*?', '.+', 'b?', 'b??', '[^b]*?', '\\w+'),
  fc.constantFrom('(a)', '(.*)', '(.*?)', '([ab]+)', '(a(b*)c?)'),
);

test('patterns fit, with their groups, where JavaScript’s do', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), fc.stringMatching(/^[abc.]{0,8}$/), (pieces, text) => {
      const source = pieces.join('');
      const expected = new RegExp(`^(?:${source})$`).exec(text);
      assert.deepEqual(parsePattern(source).match(text), expected ? [...expected] : undefined);
    }),
    { numRuns: 2000 },
  );
});

test('a pattern that ruins a backtracking search does not ruin this one', () => {
  assert.equal(parsePattern(`${'(.*?)a.*'.repeat(10)}x`).match('a'.repeat(1000)), undefined);
});
