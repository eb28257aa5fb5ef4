import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nkeys } from '@nats-io/transport-node';
import { decodeUserKey, encodeUserKey } from '../../../src/wire/nats/index.ts';

describe('nkeys', () => {
  test('are read as they were written', () => {
    for (let fill = 0; fill < 256; fill++) {
      const key = new Uint8Array(32).fill(fill);
      const text = encodeUserKey(key);
      assert.match(text, /^U[A-Z2-7]{55}$/);
      assert.deepEqual(decodeUserKey(text), key);
    }
  });

  test('are those of the official library', () => {
    const text = nkeys.createUser().getPublicKey();
    const key = decodeUserKey(text)!;
    assert.equal(encodeUserKey(key), text);
    assert.equal(nkeys.fromPublic(text).getPublicKey(), text);
  });

  test('are not read with a wrong letter, check sum, length or prefix', () => {
    const text = nkeys.createUser().getPublicKey();
    const wrong = [
      '',
      'U',
      text.slice(1),
      `${text}A`,
      `${text.slice(0, 20)}${text[20] === 'A' ? 'B' : 'A'}${text.slice(21)}`,
      text.toLowerCase(),
      `${text.slice(0, 10)}1${text.slice(11)}`,
      `A${text.slice(1)}`,
      'é'.repeat(56),
    ];
    for (const one of wrong) assert.equal(decodeUserKey(one), undefined, one);
  });
});
