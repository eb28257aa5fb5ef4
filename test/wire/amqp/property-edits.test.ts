import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  encodeProperties,
  readProperties,
  WireError,
  withHeaders,
  withReplyTo,
  type FieldTable,
  type FieldValue,
} from '../../../src/wire/amqp/index.ts';

const table = (...entries: [string, FieldValue][]): FieldTable => new Map(entries);

describe('a change of a property', () => {
  it('replaces reply-to and nothing else', () => {
    const before = { contentType: 'text/plain', correlationId: 'c', replyTo: 'here', type: 't' };
    const bytes = encodeProperties(before);
    assert.deepEqual(readProperties(withReplyTo(bytes, 'there')), { ...before, replyTo: 'there' });
    assert.deepEqual(readProperties(bytes), before);
  });

  it('takes headers out and adds others, and leaves the bytes of the rest', () => {
    // `n` is a byte, which encoding would make 32 bits.
    const entry = Buffer.from('\x01nb\x07', 'latin1');
    const headers = Buffer.concat([
      Buffer.from([0x20, 0, 0, 0, 0, 4 + 4]),
      entry,
      Buffer.from('\x02CCV', 'latin1'),
    ]);
    const kept = withHeaders(headers, ['CC'], table());
    assert.deepEqual(kept, Buffer.concat([Buffer.from([0x20, 0, 0, 0, 0, 4]), entry]));
    const added = readProperties(withHeaders(headers, ['none'], table(['CC', 'x'], ['more', true])));
    assert.deepEqual(added.headers, table(['n', 7], ['CC', 'x'], ['more', true]));
  });

  it('gives headers to properties without them', () => {
    const bytes = encodeProperties({ contentType: 'a', deliveryMode: 2 });
    const headers = table(['x', 1]);
    assert.deepEqual(readProperties(withHeaders(bytes, [], headers)), {
      contentType: 'a',
      deliveryMode: 2,
      headers,
    });
  });

  it('fails on bytes that are no properties', () => {
    const bytes = Buffer.from([0x20, 0, 0, 0, 0, 9, 1]);
    assert.throws(() => withHeaders(bytes, [], table()), WireError);
  });
});
