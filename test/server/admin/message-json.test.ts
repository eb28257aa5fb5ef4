import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StoredMessage } from '../../../src/broker/index.ts';
import { messageJson } from '../../../src/server/admin/message-json.ts';
import type { ValueForm } from '../../../src/admin-api/index.ts';

function show(
  parts: Partial<StoredMessage>,
  as: ValueForm = 'auto',
  valueBytesMax = 1000,
): ReturnType<typeof messageJson> {
  const message: StoredMessage = {
    topic: 'orders',
    partition: 0,
    offset: 7,
    key: null,
    headers: [],
    value: null,
    timestampMs: 0,
    ...parts,
  };
  return messageJson('orders', 0, message, { as, valueBytesMax });
}

const binary = Uint8Array.of(0xff, 0x00);

describe('a message as JSON', () => {
  test('shows text as text and bytes as base64', () => {
    const text = show({ key: Buffer.from('orders.new'), value: Buffer.from('héllo') });
    assert.deepEqual(
      [text.key, text.keyEncoding, text.value, text.encoding],
      ['orders.new', 'utf8', 'héllo', 'utf8'],
    );
    const bytes = show({ key: binary, value: binary, headers: [{ name: 'h', value: binary }] });
    assert.deepEqual(
      [bytes.key, bytes.keyEncoding, bytes.value, bytes.encoding],
      ['/wA=', 'base64', '/wA=', 'base64'],
    );
    assert.deepEqual(bytes.headers, [{ name: 'h', value: '/wA=', encoding: 'base64' }]);
  });

  test('tells nothing from null', () => {
    const empty = show({ key: new Uint8Array(0), value: new Uint8Array(0) });
    assert.deepEqual([empty.key, empty.value, empty.valueBytes], ['', '', 0]);
    const none = show({});
    assert.deepEqual([none.key, none.value, none.encoding], [null, null, null]);
  });

  test('shows values in the form asked for', () => {
    const value = Buffer.from('{"id":1}');
    assert.deepEqual(show({ value }, 'json').value, { id: 1 });
    assert.equal(show({ value }, 'utf8').value, '{"id":1}');
    assert.equal(show({ value }, 'base64').value, value.toString('base64'));
    assert.deepEqual(show({ value: Buffer.from('{') }, 'json').encoding, 'utf8');
  });

  test('cuts a long value between characters and says so', () => {
    const cut = show({ value: Buffer.from('aé€') }, 'auto', 4);
    assert.deepEqual([cut.value, cut.encoding, cut.truncated, cut.valueBytes], ['aé', 'utf8', true, 6]);
    assert.equal(show({ value: Buffer.from('{"id":1}') }, 'json', 3).encoding, 'utf8');
    assert.equal(
      show({ value: Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]) }, 'auto', 5).encoding,
      'base64',
    );
  });

  test('survives a timestamp no calendar knows', () => {
    assert.equal(show({ timestampMs: 1e300 }).time, '1e+300');
    assert.equal(show({ timestampMs: 0 }).time, '1970-01-01T00:00:00.000Z');
  });
});
