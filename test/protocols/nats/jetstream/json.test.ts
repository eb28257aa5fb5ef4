import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApiError } from '../../../../src/protocols/nats/jetstream/errors.ts';
import { decodeBody, isEmptyBody } from '../../../../src/protocols/nats/jetstream/json.ts';
import { decodePullBody } from '../../../../src/protocols/nats/jetstream/pull-body.ts';

const shape = {
  name: 'string',
  count: 'integer',
  on: 'boolean',
  kind: ['a', 'b'],
  when: 'time',
  list: 'strings',
  tags: 'texts',
  inner: { object: { deep: 'integer' } },
} as const;

const decode = (text: string): object => decodeBody(Buffer.from(text), shape);
const refusal = (text: string): string => {
  try {
    decode(text);
  } catch (error) {
    assert.ok(error instanceof ApiError);
    assert.equal(error.body.err_code, 10025);
    return error.body.description;
  }
  throw new Error(`${text} was accepted`);
};

describe('request bodies', () => {
  test('valid members are decoded, null counts as absent, an empty body is an empty object', () => {
    const full = {
      name: 'n',
      count: 3,
      on: true,
      kind: 'b',
      when: '2026-01-01T00:00:00Z',
      list: ['x'],
      tags: { k: 'v' },
      inner: { deep: 1 },
    };
    assert.deepEqual(decode(JSON.stringify(full)), full);
    assert.deepEqual(decode('{"name":null,"count":1}'), { count: 1 });
    for (const empty of ['', '  ', '\r\n', '{}']) assert.deepEqual(decode(empty), {});
  });

  test('a member that does not fit is named', () => {
    assert.equal(refusal('{"bogus":1}'), 'invalid JSON: json: unknown field "bogus"');
    assert.match(refusal('{"kind":"c"}'), /^invalid JSON: can not unmarshal "c" into field kind$/);
    assert.match(refusal('{"count":"1"}'), /cannot unmarshal string into field count of type integer/);
    assert.match(refusal('{"count":1.5}'), /field count/);
    assert.match(refusal('{"on":1}'), /field on of type boolean/);
    assert.match(refusal('{"when":"yesterday"}'), /field when of type time/);
    assert.match(refusal('{"list":[1]}'), /field list of type string/);
    assert.match(refusal('{"tags":{"a":1}}'), /field tags of type string/);
    assert.match(refusal('{"inner":{"x":1}}'), /unknown field "x"/);
    for (const body of ['{bad', 'x', '[]', '1', '{"a":1}{']) assert.match(refusal(body), /^invalid JSON: /);
  });

  test('JSON that is too deep is refused before it is decoded, in the words of Go', () => {
    const deep = (depth: number): string => `{"list":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    for (const body of [deep(10_000), deep(500_000), '{"inner":'.repeat(10_001), '['.repeat(20_000)])
      assert.equal(refusal(body), 'invalid JSON: exceeded max depth');
    assert.match(refusal(deep(9_999)), /cannot unmarshal array into field list/);
    const text = '[{"\\'.repeat(20_000);
    assert.deepEqual(decode(JSON.stringify({ name: text, count: 1 })), { name: text, count: 1 });
    assert.deepEqual(decode(`{"list":["${'\\"['.repeat(20_000)}"]}`), { list: ['"['.repeat(20_000)] });
  });

  test('an own property is not one of every object', () => {
    assert.match(refusal('{"toString":1}'), /unknown field "toString"/);
    assert.match(refusal('{"__proto__":{}}'), /unknown field "__proto__"/);
  });

  test('empty bodies', () => {
    for (const text of ['', ' ', '{}', ' { } ']) assert.ok(isEmptyBody(Buffer.from(text)), text);
    for (const text of ['{"a":1}', 'x', '[]']) assert.ok(!isEmptyBody(Buffer.from(text)), text);
  });
});

describe('pull request bodies', () => {
  const pull = (text: string): object => decodePullBody(Buffer.from(text));
  const one = { batch: 1, maxBytes: 0, expiresMs: 0, heartbeatMs: 0, noWait: false };

  const priority = { group: '', id: '', minPending: 0, minAckPending: 0, priority: 0 };

  test('nothing, a number, an object', () => {
    assert.deepEqual(pull(''), one);
    assert.deepEqual(pull('7'), { ...one, batch: 7 });
    assert.deepEqual(pull(' 7 '), { ...one, batch: 7 });
    assert.deepEqual(pull('seven'), one);
    assert.deepEqual(pull('{}'), { ...one, priority });
    assert.deepEqual(
      pull(
        '{"batch":5,"expires":1000000000,"max_bytes":9,"no_wait":true,"idle_heartbeat":500000000,"later":1}',
      ),
      { batch: 5, maxBytes: 9, expiresMs: 1000, heartbeatMs: 500, noWait: true, priority },
    );
    assert.deepEqual(pull('{"group":"g","id":"i","min_pending":1,"min_ack_pending":2,"priority":3}'), {
      ...one,
      priority: { group: 'g', id: 'i', minPending: 1, minAckPending: 2, priority: 3 },
    });
  });

  test('the error is named', () => {
    assert.throws(() => pull('{bad'), {
      message: "invalid character 'b' looking for beginning of object key string",
    });
    assert.throws(() => pull('{"group":5}'), /field group of type string/);
    assert.throws(() => pull('{"batch":"5"}'), /field batch of type integer/);
    assert.throws(() => pull('{"expires":1000,"idle_heartbeat":501}'), /heartbeat value too large/);
    assert.throws(() => pull('{"idle_heartbeat":1}'), /heartbeat value too large/);
  });
});
