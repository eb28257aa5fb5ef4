import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeHeaders, storedHeaders, verbatimName } from '../../../src/wire/nats/index.ts';

const stored = (block: string): ReturnType<typeof storedHeaders> => {
  const bytes = Buffer.from(block, 'latin1');
  return storedHeaders(bytes, 0, bytes.length);
};
const named = (block: string): string[] => stored(block).map(({ name }) => name);

describe('headers of stored messages', () => {
  const plain = ['NATS/1.0\r\nA: 1\r\n\r\n', 'NATS/1.0\r\nA: 1\r\nB: \r\nA: x y: z\r\n\r\n'];
  const odd = [
    'NATS/1.0\r\n\r\n',
    'NATS/1.0\r\nA:1\r\n\r\n',
    'NATS/1.0\r\nA:  1\r\n\r\n',
    'NATS/1.0\r\nA: 1 \r\n\r\n',
    'NATS/1.0\r\nA\t: 1\r\n\r\n',
    'NATS/1.0\r\nA B: 1\r\n\r\n',
    'NATS/1.0\r\nno colon\r\nA: 1\r\n\r\n',
    'NATS/1.0\r\n: 1\r\n\r\n',
    'NATS/1.0\r\nA: 1\r2\r\n\r\n',
    'NATS/1.0\r\nA: 1\n\r\n\r\n',
    'NATS/1.0 404 Not Found\r\nA: 1\r\n\r\n',
    'NATS/1.0\r\nA: 1\r\n\r\n\r\n',
    `NATS/1.0\r\n${verbatimName}: x\r\n\r\n`,
  ];

  for (const block of plain) {
    test(`${JSON.stringify(block)} needs nothing beside its list`, () => {
      assert.ok(!named(block).includes(verbatimName));
      assert.equal(encodeHeaders(stored(block)).toString('latin1'), block);
    });
  }

  for (const block of odd) {
    test(`${JSON.stringify(block)} comes back as it was`, () => {
      assert.equal(named(block).at(-1), verbatimName);
      assert.equal(encodeHeaders(stored(block)).toString('latin1'), block);
    });
  }

  test("other protocols read the headers, and the broker's additions follow the block", () => {
    const headers = stored('NATS/1.0\r\nA:1\r\nno colon\r\n\r\n');
    assert.deepEqual(
      headers.map(({ name, value }) => [name, value && Buffer.from(value).toString()]),
      [
        ['A', '1'],
        [verbatimName, 'NATS/1.0\r\nA:1\r\nno colon\r\n\r\n'],
      ],
    );
    const added = encodeHeaders([...headers, { name: 'B', value: Buffer.from('2') }]);
    assert.equal(added.toString('latin1'), 'NATS/1.0\r\nA:1\r\nno colon\r\nB: 2\r\n\r\n');
  });

  test('a header of that name that holds no block is a header', () => {
    const headers = [{ name: verbatimName, value: Buffer.from('A: 1\r\n\r\n') }];
    assert.equal(
      encodeHeaders(headers).toString('latin1'),
      `NATS/1.0\r\n${verbatimName}: A: 1%0D%0A%0D%0A\r\n\r\n`,
    );
    assert.equal(encodeHeaders([{ name: verbatimName, value: null }]).length, 12 + verbatimName.length + 4);
  });
});
