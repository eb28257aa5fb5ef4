import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  decodeHeaders,
  decodeStatus,
  encodeHeaders,
  HeaderScanner,
  headersSize,
  writeHeaders,
} from '../../../src/wire/nats/index.ts';

const decode = (block: string): [string, string][] => {
  const bytes = Buffer.from(`??${block}??`, 'utf8');
  return decodeHeaders(bytes, 2, bytes.length - 2).map(({ name, value }) => [
    name,
    Buffer.from(value!).toString('utf8'),
  ]);
};

describe('a header block', () => {
  it('is a list in order; a name may repeat, upper and lower case differ', () => {
    assert.deepEqual(decode('NATS/1.0\r\nA: 1\r\na: 2\r\nA:3\r\nEmpty:\r\n\r\n'), [
      ['A', '1'],
      ['a', '2'],
      ['A', '3'],
      ['Empty', ''],
    ]);
  });

  it('drops blanks around values, keeps them and colons inside', () => {
    assert.deepEqual(decode('NATS/1.0\r\nTime:   12:30 Uhr  \r\n\r\n'), [['Time', '12:30 Uhr']]);
  });

  it('that is none has no headers', () => {
    assert.deepEqual(decode(''), []);
    assert.deepEqual(decode('NATS/1.0'), []);
    assert.deepEqual(decode('NATS/1.0\r\nno colon\r\n: no name\r\n\r\n'), []);
    assert.deepEqual(decode('NOTS/1.0\r\nA: 1'), [['A', '1']]);
    assert.deepEqual(decode('NATS/1.0\nA: 1\nB: 2\n\n'), [
      ['A', '1'],
      ['B', '2'],
    ]);
  });

  it('carries a status in its first line', () => {
    const status = (block: string): object | undefined => decodeStatus(Buffer.from(block), 0, block.length);
    assert.deepEqual(status('NATS/1.0 503\r\n\r\n'), { code: 503, description: '' });
    assert.deepEqual(status('NATS/1.0 404 No Messages\r\nA: 1\r\n\r\n'), {
      code: 404,
      description: 'No Messages',
    });
    assert.equal(status('NATS/1.0\r\n\r\n'), undefined);
    assert.equal(status('NATS/1.0 x\r\n\r\n'), undefined);
    assert.equal(status('HTTP/1.1 200 OK\r\n\r\n'), undefined);
  });

  it('is written as it is read', () => {
    const headers = [
      { name: 'A', value: Buffer.from('1') },
      { name: 'B', value: null },
    ];
    assert.equal(encodeHeaders(headers).toString(), 'NATS/1.0\r\nA: 1\r\nB: \r\n\r\n');
    assert.equal(encodeHeaders([], '404 No Messages').toString(), 'NATS/1.0 404 No Messages\r\n\r\n');
    assert.equal(encodeHeaders([]).toString(), 'NATS/1.0\r\n\r\n');
  });

  it('cannot be forged through names and values of other protocols', () => {
    const block = encodeHeaders([
      { name: 'a b:c\r\n', value: Buffer.from('1\r\nEvil: 2') },
      { name: '', value: Buffer.from('x') },
      { name: 'größe', value: Buffer.from('ß') },
    ]);
    assert.equal(
      block.toString('utf8'),
      'NATS/1.0\r\na%20b%3Ac%0D%0A: 1%0D%0AEvil: 2\r\n%: x\r\ngröße: ß\r\n\r\n',
    );
    assert.equal(decodeHeaders(block, 0, block.length).length, 3);
  });

  it('comes back as it was, for names and values that NATS can have', () => {
    const header = fc.record({
      name: fc.stringMatching(/^[!-9;-~]{1,12}$/),
      value: fc.stringMatching(/^([!-~]([ -~]{0,10}[!-~])?)?$/).map((text) => Buffer.from(text)),
    });
    fc.assert(
      fc.property(
        fc.array(header, { maxLength: 6 }),
        fc.option(fc.constantFrom('100 Idle Heartbeat', '503'), { nil: undefined }),
        (headers, status) => {
          const block = encodeHeaders(headers, status);
          assert.equal(headersSize(headers, status), block.length);
          const decoded = decodeHeaders(block, 0, block.length);
          assert.deepEqual(
            decoded.map(({ name, value }) => ({ name, value: Buffer.from(value!).toString() })),
            headers.map(({ name, value }) => ({ name, value: value.toString() })),
          );
        },
      ),
    );
  });

  it('of any bytes is read without harm', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const block = Buffer.from(bytes);
        for (const { name, value } of decodeHeaders(block, 0, block.length)) {
          assert.ok(name.length > 0);
          assert.ok(value !== null && !value.includes(10));
        }
        decodeStatus(block, 0, block.length);
      }),
      { numRuns: 500 },
    );
  });

  it('is written where it is told, no byte beyond its size', () => {
    const headers = [{ name: 'K', value: Buffer.alloc(100, 'v') }];
    const size = headersSize(headers);
    const target = Buffer.alloc(size + 20, '.');
    assert.equal(writeHeaders(target, 10, headers), 10 + size);
    assert.equal(target.toString('latin1', 0, 10) + target.toString('latin1', 10 + size), '.'.repeat(20));
  });
});

describe('a header scanner', () => {
  it('finds a header by the bytes of its name', () => {
    const block = Buffer.from('NATS/1.0\r\nNats-Msg-Idx: no\r\nnats-msg-id: no\r\nNats-Msg-Id: yes\r\n\r\n');
    const scanner = new HeaderScanner();
    scanner.reset(block, 0, block.length);
    const wanted = Buffer.from('Nats-Msg-Id');
    const found: string[] = [];
    while (scanner.next()) if (scanner.named(wanted)) found.push(`${scanner.name}=${scanner.value}`);
    assert.deepEqual(found, ['Nats-Msg-Id=yes']);
  });
});
