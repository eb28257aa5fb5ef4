import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMessageText, md5OfAttributes, md5OfText } from '../../../src/wire/aws/index.ts';

test('characters that XML cannot have are none of a message', () => {
  for (const text of ['', '\t\n\r ', '\u{d7ff}\u{e000}\u{fffd}', '\u{10000}\u{10ffff}', '\u{7f}\u{80}'])
    assert.equal(isMessageText(text), true, JSON.stringify(text));
  for (const text of ['\0', 'a\u{8}', '\u{b}', '\u{1f}', '\ud800', '\udc00a', '\ud83d', '\ufffe', '\uffff'])
    assert.equal(isMessageText(text), false, JSON.stringify(text));
});

test('the hash of a body is that of its UTF-8', () => {
  // The example of the API reference: SendMessage, "This is a test message".
  assert.equal(md5OfText('This is a test message'), 'fafb00f5732ab283681e124bf8747ed1');
  assert.equal(md5OfText('\u{e9}'), '66ddcd97cfdeabb2f6fb8a999b4bc76f');
});

test('the hash of attributes is that of SQS', () => {
  assert.equal(md5OfAttributes(new Map()), undefined);
  // Calculated by hand with Python's hashlib and struct.
  const one = new Map([
    ['test_attribute_name_1', { DataType: 'String', StringValue: 'test_attribute_value_1' }],
  ]);
  assert.equal(md5OfAttributes(one), 'ba056227cfd9533dba1f72ad9816d233');
});

test('attributes are hashed by name, with their type and their form', () => {
  const a = { DataType: 'Number', StringValue: '1' };
  const b = { DataType: 'Binary', BinaryValue: Buffer.from('1') };
  const hash = md5OfAttributes(
    new Map<string, typeof a | typeof b>([
      ['a', a],
      ['b', b],
    ]),
  );
  assert.equal(
    hash,
    md5OfAttributes(
      new Map<string, typeof a | typeof b>([
        ['b', b],
        ['a', a],
      ]),
    ),
  );
  assert.notEqual(md5OfAttributes(new Map([['a', a]])), md5OfAttributes(new Map([['a', b]])));
});
