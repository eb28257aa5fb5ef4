import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PublishRules, SubscribeRules } from '../../../src/protocols/nats/subject-rules.ts';

describe('rules for publishing', () => {
  test('say the same again, for more subjects than they keep', () => {
    const rules = new PublishRules({ allow: ['a.*', 'b.>'], deny: ['a.7', 'b.*.c'] });
    const subjects: [subject: string, allowed: boolean][] = [
      ['a.1', true],
      ['a.7', false],
      ['a', false],
      ['a.1.2', false],
      ['b.x', true],
      ['b.x.c', false],
      ['b.x.d', true],
      ['c', false],
    ];
    for (let round = 0; round < 2; round++) {
      for (const [subject, allowed] of subjects) assert.equal(rules.allows(subject), allowed, subject);
      for (let at = 0; at < 3_000; at++) assert.equal(rules.allows(`b.${at}`), true);
    }
  });

  test('without an allow list allow all but what is denied; an empty one allows nothing', () => {
    assert.equal(new PublishRules({ deny: ['x'] }).allows('y'), true);
    assert.equal(new PublishRules({ deny: ['x'] }).allows('x'), false);
    assert.equal(new PublishRules({ allow: [] }).allows('y'), false);
  });
});

describe('rules for subscribing', () => {
  test('allow a pattern that is covered, and no wider one', () => {
    const rules = new SubscribeRules({ allow: ['a.*', 'b.>'] });
    for (const pattern of ['a.x', 'a.*', 'b.x', 'b.*.c', 'b.>'])
      assert.equal(rules.allows(pattern, undefined), true, pattern);
    // nats-server allows the first: it takes `>` for a token that `*` stands for.
    for (const pattern of ['a.>', 'a.x.y', '*.x', '>', 'b'])
      assert.equal(rules.allows(pattern, undefined), false, pattern);
  });

  test('know which patterns reach what is denied', () => {
    const rules = new SubscribeRules({ deny: ['secret.>', 'q.x workers'] });
    assert.deepEqual(
      ['>', '*.x', 'secret.>', 'open.>', 'q.*'].map((pattern) => rules.deniesPartOf(pattern)),
      [true, true, true, false, false],
    );
    assert.deepEqual([rules.denies('secret.a.b'), rules.denies('open.a')], [true, false]);
  });

  test('with queues hold for members of those', () => {
    const rules = new SubscribeRules({ allow: ['a.>', 'b work.*'], deny: ['a.x work.bad'] });
    assert.deepEqual(
      [
        rules.allows('b', undefined),
        rules.allows('b', 'work.one'),
        rules.allows('b', 'other'),
        rules.allows('a.x', undefined),
        rules.allows('a.x', 'work.bad'),
        rules.allows('a.x', 'work.good'),
      ],
      [false, true, false, true, false, true],
    );
  });
});
