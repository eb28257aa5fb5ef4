import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FilterError,
  FilterInput,
  FilterPolicy,
  type FilteredAttribute,
} from '../../../src/wire/aws/index.ts';

function text(value: string): FilteredAttribute {
  return { DataType: 'String', StringValue: value };
}
function number(value: number): FilteredAttribute {
  return { DataType: 'Number', StringValue: String(value) };
}
function list(...values: readonly unknown[]): FilteredAttribute {
  return { DataType: 'String.Array', StringValue: JSON.stringify(values) };
}
const bytes: FilteredAttribute = { DataType: 'Binary' };

/** Whether a policy on attributes lets a message pass. */
function passes(policy: object, attributes: { readonly [name: string]: FilteredAttribute } = {}): boolean {
  const filter = new FilterPolicy(JSON.stringify(policy), 'MessageAttributes');
  return filter.matches(new FilterInput(new Map(Object.entries(attributes)), ''));
}

/** Whether a policy on the body lets a message pass. */
function passesBody(policy: object, body: unknown): boolean {
  const filter = new FilterPolicy(JSON.stringify(policy), 'MessageBody');
  return filter.matches(new FilterInput(new Map(), typeof body === 'string' ? body : JSON.stringify(body)));
}

test('values are equal with their type', () => {
  assert.equal(passes({ a: ['x', 'y'] }, { a: text('y') }), true);
  assert.equal(passes({ a: ['x'] }, { a: text('X') }), false);
  assert.equal(passes({ a: ['x'] }, {}), false);
  assert.equal(passes({ a: [1] }, { a: number(1) }), true);
  assert.equal(passes({ a: [1] }, { a: { DataType: 'Number.int', StringValue: '1.0' } }), true);
  assert.equal(passes({ a: [1] }, { a: text('1') }), false);
  assert.equal(passes({ a: ['1'] }, { a: number(1) }), false);
  assert.equal(passes({ a: ['x'] }, { a: bytes }), false);
});

test('every key must fit', () => {
  const policy = { a: ['x'], b: [1] };
  assert.equal(passes(policy, { a: text('x'), b: number(1), c: text('z') }), true);
  assert.equal(passes(policy, { a: text('x'), b: number(2) }), false);
  assert.equal(passes(policy, { a: text('x') }), false);
});

test('a list fits if one of its values does', () => {
  assert.equal(passes({ a: ['x'] }, { a: list('z', 'x') }), true);
  assert.equal(passes({ a: [true] }, { a: list(false, true) }), true);
  assert.equal(passes({ a: [null] }, { a: list(null) }), true);
  assert.equal(passes({ a: ['x'] }, { a: list() }), false);
  assert.equal(passes({ a: ['no list'] }, { a: { DataType: 'String.Array', StringValue: 'no list' } }), true);
});

test('texts match by beginning, end, letters and pattern', () => {
  const cases: readonly [object, string, boolean][] = [
    [{ prefix: 'ab' }, 'abc', true],
    [{ prefix: 'ab' }, 'xab', false],
    [{ suffix: 'bc' }, 'abc', true],
    [{ suffix: 'bc' }, 'abcd', false],
    [{ 'equals-ignore-case': 'AbC' }, 'aBc', true],
    [{ wildcard: 'a*c' }, 'abbc', true],
    [{ wildcard: 'a*c' }, 'abb', false],
    [{ wildcard: 'a\\*c' }, 'abc', false],
    [{ wildcard: 'a\\*c' }, 'a*c', true],
    [{ cidr: '10.0.0.0/8' }, '10.1.1.1', true],
    [{ cidr: '10.0.0.0/8' }, 'x', false],
  ];
  for (const [match, value, expected] of cases) {
    assert.equal(passes({ a: [match] }, { a: text(value) }), expected, JSON.stringify([match, value]));
    assert.equal(passes({ a: [match] }, { a: number(1) }), false);
  }
});

test('numbers match by comparison and range', () => {
  const of = (numeric: readonly unknown[], value: number): boolean =>
    passes({ a: [{ numeric }] }, { a: number(value) });
  assert.equal(of(['=', 1.5], 1.5), true);
  assert.equal(of(['<', 5], 5), false);
  assert.equal(of(['<=', 5], 5), true);
  assert.equal(of(['>', 0, '<=', 150], 150), true);
  assert.equal(of(['>', 0, '<=', 150], 0), false);
  assert.equal(passes({ a: [{ numeric: ['=', 1] }] }, { a: text('1') }), false);
});

test('anything but some values, beginnings or ends', () => {
  const of = (but: unknown, value: FilteredAttribute): boolean =>
    passes({ a: [{ 'anything-but': but }] }, { a: value });
  assert.equal(of('x', text('y')), true);
  assert.equal(of(['x', 'y'], text('y')), false);
  assert.equal(of([1, 2], number(3)), true);
  assert.equal(of([1, 2], number(2)), false);
  assert.equal(of({ prefix: 'ab' }, text('abc')), false);
  assert.equal(of({ prefix: ['ab', 'x'] }, text('xyz')), false);
  assert.equal(of({ suffix: 'z' }, text('a')), true);
  assert.equal(of({ wildcard: '*x*' }, text('axa')), false);
  assert.equal(of({ 'equals-ignore-case': 'X' }, text('x')), false);
  assert.equal(of(['x'], list('x', 'y')), true);
  // What is not there is not anything.
  assert.equal(passes({ a: [{ 'anything-but': ['x'] }] }, {}), false);
});

test('a key is there, or is not', () => {
  assert.equal(passes({ a: [{ exists: true }] }, { a: text('') }), true);
  assert.equal(passes({ a: [{ exists: true }] }, { a: bytes }), true);
  assert.equal(passes({ a: [{ exists: true }] }, {}), false);
  assert.equal(passes({ a: [{ exists: false }] }, {}), true);
  assert.equal(passes({ a: [{ exists: false }] }, { a: text('x') }), false);
  assert.equal(passes({ a: ['x', { exists: false }] }, { a: text('x') }), true);
  assert.equal(passes({ toString: [{ exists: true }] }, {}), false);
});

test('one alternative of $or is enough', () => {
  const policy = { s: ['x'], $or: [{ a: ['1'] }, { b: [{ numeric: ['>', 5] }], c: [{ exists: true }] }] };
  assert.equal(passes(policy, { s: text('x'), a: text('1') }), true);
  assert.equal(passes(policy, { s: text('x'), b: number(6), c: text('') }), true);
  assert.equal(passes(policy, { s: text('x'), b: number(6) }), false);
  assert.equal(passes(policy, { a: text('1') }), false);
  // A key may have that name.
  assert.equal(passes({ $or: ['x'] }, { $or: text('x') }), true);
});

test('a policy on the body looks into it', () => {
  const policy = { person: { name: ['ada'], age: [{ numeric: ['>', 17] }] } };
  assert.equal(passesBody(policy, { person: { name: 'ada', age: 36 }, more: 1 }), true);
  assert.equal(passesBody(policy, { person: { name: 'ada', age: 3 } }), false);
  assert.equal(passesBody(policy, { person: 'ada' }), false);
  assert.equal(passesBody(policy, {}), false);
  // One person must fit as a whole.
  assert.equal(
    passesBody(policy, {
      person: [
        { name: 'bob', age: 40 },
        { name: 'ada', age: 20 },
      ],
    }),
    true,
  );
  assert.equal(
    passesBody(policy, {
      person: [
        { name: 'bob', age: 40 },
        { name: 'ada', age: 2 },
      ],
    }),
    false,
  );
  assert.equal(passesBody({ a: [null, true] }, { a: null }), true);
  assert.equal(passesBody({ a: [null, true] }, { a: [1, true] }), true);
  assert.equal(passesBody({ a: { b: [{ exists: false }] } }, {}), true);
  assert.equal(passesBody({ a: [{ exists: true }] }, { a: { b: 1 } }), true);
  assert.equal(passesBody({ $or: [{ a: { b: [1] } }, { c: [2] }] }, { c: 2 }), true);
  for (const body of ['', 'text', '[]', '"x"', '1', '{', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`])
    assert.equal(passesBody({ a: [{ exists: false }] }, body), false, body);
});

test('the very text says what is wrong with a policy', () => {
  const cases: readonly [policy: unknown, message: RegExp | string][] = [
    ['x', 'failed to parse JSON.'],
    [[], 'failed to parse JSON.'],
    [{ $or: Array.from({ length: 151 }, () => ({ a: ['x'] })) }, 'Filter policy is too complex'],
    [{ $or: [{ a: ['x'] }, {}] }, 'Empty objects are not allowed'],
    [{ a: 'x' }, '"a" must be an object or an array'],
    [{ a: [] }, 'Empty arrays are not allowed'],
    [{ a: [['x']] }, 'Match value must be String, number, true, false, or null'],
    [{ a: [{ wine: 1 }] }, 'Unrecognized match type wine'],
    [{ a: [{ prefix: 'a', suffix: 'b' }] }, 'Only one key allowed in match expression'],
    [{ a: [{ prefix: 1 }] }, 'prefix match pattern must be a string'],
    [{ a: [{ exists: 1 }] }, 'exists match pattern must be either true or false.'],
    [{ a: [{ numeric: ['>', 'x'] }] }, 'Value of > must be numeric'],
    [{ a: [{ numeric: ['>', 5, '<', 3] }] }, 'Bottom must be less than top'],
    [{ a: [{ numeric: ['<', 5, '>', 3] }] }, /first/],
    [{ a: [{ numeric: ['>'] }] }, 'Too few elements in numeric expression'],
    [{ a: [{ numeric: ['!', 1] }] }, /Unrecognized numeric/],
    [{ a: [{ 'anything-but': [true] }] }, /anything-but/],
    [{ a: [{ wildcard: 'a**b' }] }, /Consecutive/],
    [{ a: [{ cidr: '10' }] }, /CIDR/],
    [{ a: [2e9] }, /10\^9/],
    [{ a: { b: ['x'] } }, 'Filter policy scope MessageAttributes does not support nested filter policy'],
    [
      Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((key) => [key, ['x']])),
      'Filter policy can not have more than 5 keys',
    ],
    [
      Object.fromEntries(['a', 'b', 'c'].map((key) => [key, [1, 2, 3, 4, 5, 6]])),
      'Filter policy is too complex',
    ],
  ];
  for (const [policy, message] of cases)
    assert.throws(
      () => new FilterPolicy(JSON.stringify(policy), 'MessageAttributes'),
      (error) =>
        error instanceof FilterError &&
        (typeof message === 'string' ? error.message === message : message.test(error.message)),
      JSON.stringify(policy),
    );
});

test('levels count for the complexity of a policy on the body', () => {
  const of = (values: number): FilterPolicy =>
    new FilterPolicy(
      JSON.stringify({ a: { b: { c: Array.from({ length: values }, (_, index) => index) } } }),
      'MessageBody',
    );
  assert.ok(of(50));
  assert.throws(() => of(51), { message: 'Filter policy is too complex' });
  assert.throws(
    () => new FilterPolicy(`${'{"a":'.repeat(100)}[1]${'}'.repeat(100)}`, 'MessageBody'),
    FilterError,
  );
});
