import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError } from '../../../src/protocols/index.ts';
import {
  flag,
  listOf,
  nullOr,
  oneOf,
  readObject,
  text,
  time,
  wholeNumber,
} from '../../../src/server/admin/shape.ts';

const shape = {
  name: text(5),
  count: wholeNumber(1, 10),
  kind: oneOf('a', 'b'),
  on: flag,
  tags: listOf(text(), 2),
};

function refusal(value: unknown): string {
  try {
    readObject(value, shape, ['name']);
  } catch (error) {
    assert.ok(error instanceof HttpError);
    assert.equal(error.status, 400);
    return error.message;
  }
  return assert.fail('it was taken');
}

describe('a shape', () => {
  test('reads valid members and leaves out absent ones', () => {
    const value = { name: 'x', count: 3, kind: 'b', on: false, tags: ['t'] };
    assert.deepEqual(readObject(value, shape, ['name']), value);
    assert.deepEqual(readObject({ name: 'x' }, shape, ['name']), { name: 'x' });
  });

  test('names a member that does not fit', () => {
    assert.match(refusal([]), /must be a JSON object/);
    assert.match(refusal(null), /must be a JSON object/);
    assert.match(refusal({}), /must have the field "name"/);
    assert.match(refusal({ name: 'x', cuont: 1 }), /unknown field "cuont"; known are name, count/);
    assert.match(refusal(JSON.parse('{"name":"x","__proto__":1}')), /unknown field "__proto__"/);
    assert.match(refusal({ name: 'longer' }), /"name" must be a text of at most 5/);
    assert.match(refusal({ name: 'x', count: 0 }), /"count" must be a whole number from 1 to 10/);
    assert.match(refusal({ name: 'x', count: 1.5 }), /"count"/);
    assert.match(refusal({ name: 'x', kind: 'c' }), /"kind" must be one of a, b/);
    assert.match(refusal({ name: 'x', on: 'yes' }), /"on" must be true or false/);
    assert.match(refusal({ name: 'x', tags: ['a', 1] }), /"tags\[1\]" must be a text/);
    assert.match(refusal({ name: 'x', tags: ['a', 'b', 'c'] }), /at most 2 entries/);
  });

  test('reads numbers and times from queries too', () => {
    assert.equal(wholeNumber()('12', 'n'), 12);
    assert.throws(() => wholeNumber()('12x', 'n'), HttpError);
    assert.equal(time('1970-01-01T00:00:01Z', 't'), 1000);
    assert.equal(time('1500', 't'), 1500);
    assert.throws(() => time('yesterday', 't'), HttpError);
    assert.equal(nullOr(text())(null, 'x'), null);
  });
});
