import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  deriveKeys,
  fitsKeys,
  hashPassword,
  makeVerifier,
  parseVerifier,
  verifierText,
} from '../../../src/protocols/users/index.ts';

const bytes = (count: number): Uint8Array => new Uint8Array(count).fill(7);

describe('a password verifier', () => {
  test('has the keys of RFC 7677, section 3', async () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    const { storedKey, serverKey } = await deriveKeys('sha256', 'pencil', salt, 4096);
    assert.equal(storedKey.toString('base64'), 'WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=');
    assert.equal(serverKey.toString('base64'), 'wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=');
  });

  test('tells the right password from others, with either hash', async () => {
    const verifier = await makeVerifier('pencil', bytes);
    for (const hash of ['sha256', 'sha512'] as const) {
      assert.equal(await fitsKeys(hash, verifier[hash]!, 'pencil'), true);
      assert.equal(await fitsKeys(hash, verifier[hash]!, 'Pencil'), false);
    }
  });

  test('takes two spellings of the same characters as the same password', async () => {
    const verifier = await makeVerifier('\u2168 e\u0301', bytes);
    assert.equal(await fitsKeys('sha256', verifier.sha256!, 'IX \u00e9'), true);
  });

  test('is the same after it was written and read', async () => {
    const verifier = await makeVerifier('pencil', bytes, 8192);
    const text = verifierText(verifier);
    assert.match(text, /^SCRAM-SHA-256\$8192:[^,]+,SCRAM-SHA-512\$8192:/);
    assert.deepEqual(parseVerifier(text), verifier);
  });

  test('may have the keys of one hash', async () => {
    const [first = ''] = (await hashPassword('pencil', 4096)).split(',');
    assert.deepEqual(Object.keys(parseVerifier(first) ?? {}), ['sha256']);
  });

  test('has a salt of its own each time', async () => {
    assert.notEqual(await hashPassword('pencil', 4096), await hashPassword('pencil', 4096));
  });

  test('is not read from text that is cut, doubled, weak or too costly', async () => {
    const text = verifierText(await makeVerifier('pencil', bytes));
    const [first = '', second = ''] = text.split(',');
    const wrong = [
      '',
      'SCRAM-SHA-256$',
      first.slice(0, -8),
      `${first},${first}`,
      `${first},`,
      second.replace('SHA-512', 'SHA-256'),
      first.replace('$4096:', '$4095:'),
      first.replace('$4096:', '$16385:'),
      first.replace('SHA-256', 'SHA-1'),
      `${first} ${second}`,
    ];
    for (const one of wrong) assert.equal(parseVerifier(one), undefined, one);
  });
});
