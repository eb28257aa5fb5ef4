import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { Compression, WireError, decompress, type WireErrorCode } from '../../../src/wire/kafka/index.ts';
import { tableBlocks } from '../../crash/costly/zstd-blocks.ts';
import { decompressZstdPlain } from '../../../src/wire/kafka/compression/zstd.ts';
import { readFixture } from './kit.ts';

interface CompressedLine {
  readonly name: string;
  readonly codec: number;
  readonly bytes: string;
  readonly plainBytes: number;
  readonly sha256: string;
}

const lines = readFixture<CompressedLine>('compressed').map(({ bytes, ...line }) => ({
  ...line,
  bytes: Buffer.from(bytes, 'base64'),
}));
const plainBytesMax = 2 ** 20;
/** By zstd 1.5.7, level 19, flushed 60 times. */
const flushedStream =
  'KLUv/QBoeAEAeyJpZCI6MCwibmFtZSI6Im4wIiwiZmxhZyI6dHJ1ZSwidGV4dCI6ImFiY2RlIn0EAQCAOTQxNGZhbHNmYmNkZWYi' +
  'fQUAIACrNqmqYKoMykEFAawAADg4ODMxZyJ9BQAoK8ACUC+IszEFBKwAADAyNjhoIn0FACgtUy1IGXVhI5CFILQAAFg3Njk1ZWZn' +
  'aGkifQMAf6gC4AxYAAK8AABQMTIyYWJjZGUifQQAHGsD4C/YWDMVBKwAACg2NTUxNgUAJcsBZDfQMhMDOBpTQIwAACA1OTgzBAAq' +
  'awaXXWDmDwoIlAAAKDQxMCJ9BAAsawPgLxgsshAEzAAAWDQ4NDdlZmdoaSJ9BAAcu8HMzAvgWEwBAYwAABgyNzQEACbLQchiF2zM' +
  'mQoCnAAAIDM3MDEFACtrAoAB+Av2/EEBAZwAACgxMzUifQQAKrvBzcwLEQk3BAGMAAAYMjU2BAA6hIPoBQCIUzEFBIQAACAxOTk5' +
  'BAAmiwOXXbBnAECMAAAYNDI2BAAqawauIlwA8bsqCIQAACA1MyJ9AwApy0QI++xlIgiEAAAQODAEADYEB6AeVcho11gBlAAAIDk2' +
  'ODQEAFkFAl5FvW6cjCkgjAAAGDExMQQAKDvDyGIXGPyZCgKEAAAQNDgEAILkDAQ+5zajiWcFjAAAGDc5NwQAgKQC//QAsKcOCgh0' +
  'AAAYNDAyAwD/yEUAiNlVQZwAACg2ODMxNgQAgSQOAHww2PMHBQSEAAAYMjYzBABuBtzjFwwWWQgCfAAAIDU2OTADAATJRIA4FVNA' +
  'hAAAGDEyNwQAbghanQs27kwFAYwAABg0NTUEAIBkHBiIA8CePyggdAAAEDk4AwB/ZAFARM2uCAKEAAAgMzQxNQQAgWQFwLnAzACA' +
  'jAAAKDI4NDEyBAAuBK7HMdgzACBsAAAYMjc5AwC6RgCI31VBfAAAEDcwBABuAoFdACZud0UQhAAAEDEzBAB/ZAUCiAPAxpqpIGwA' +
  'AAgwAwD9yEVeCAZeAQSEAAAYOTk2AwCAZByYntf4QQEBjAAAGDM5MQQAgeQMt8cvGCyyEAR0AAAQMjgDAATJRAA88d8cBHwAABgy' +
  'NTUEACAEcC7YqDMVBIQAAAg4BACAZBwSiANgH/ZEDgJ8AAAgMTExNgMAgWSBAeLghiB0AAAQNDMDAAACiYB44r85CIQAABA3MAQA' +
  'g2QIr8cPGPaeyFZ0AAAYNDA3AwAKko0AEL+rgnwAABgzNCIDAACBFwFk899sBYQAABAyNgQAgGQFAogDwMaaqSB0AAAQNjkDAAPJ' +
  'JQAcpWciCIQAACAxMjIiAwABBBoMEQE3BAGEAAAQNTkEAILkDLjHD2xGn8hWdAAAEDg2AwACyUQAvPDfHAR0AAAYNDEzAwD/AYsA' +
  'ELWrgnQAABA4NAMAf2QcwA1WhN0gZAAACDQDAK8oSYSDOTNAdAAAEDcxAwD6AYmAeOK/OQh8AAAQMTADAIHkENANVtyuCgJ0AAAQ' +
  'MzUDAAKSjQB41785CHwAABg2MiIDAP6AFwFk899sBXwAABAzOQMAgGQF5A0CrK4KAnQAABAyMwMAA8lFQLzu3xwEdAAAEDUwAwAC' +
  'BBoB8bB/cxABAAA=';

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

for (const { name, codec, bytes, plainBytes, sha256: expected } of lines) {
  test(name, () => {
    const plain = decompress(codec, bytes, Math.max(1, plainBytes));
    assert.equal(plain.length, plainBytes);
    assert.equal(sha256(plain), expected);
    if (plainBytes > 0) assertFails('decompressed-size', () => decompress(codec, bytes, plainBytes - 1));
  });
  if (codec === Compression.zstd) {
    test(`${name}, where Node has no zstd`, () => {
      assert.equal(sha256(decompressZstdPlain(bytes, plainBytes)), expected);
    });
  }
}

function assertFails(code: WireErrorCode, run: () => unknown): void {
  assert.throws(run, (error) => error instanceof WireError && error.code === code);
}

/**
 * Random elements of a snappy block or LZ4 block, and their expansion: all kinds of elements, even those that
 * compressors do not choose.
 */
interface Element {
  readonly literal: Uint8Array;
  readonly distance: number;
  readonly length: number;
}

const elements = fc.array(
  fc.record({
    literal: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 700 }).map((length) => new Uint8Array(length).map((_, i) => i * 7)),
    ),
    distance: fc.nat(),
    length: fc.integer({ min: 4, max: 400 }),
  }),
  { minLength: 1, maxLength: 12 },
);

/** The expansion of the elements; each one's distance is limited to the bytes before it. */
function expand(
  list: readonly Element[],
  lengthMax: number,
): { plain: Uint8Array; matches: [number, number][] } {
  const plain: number[] = [];
  const matches: [number, number][] = [];
  for (const { literal, distance, length } of list) {
    plain.push(...literal);
    const back = 1 + (distance % plain.length);
    const count = Math.min(length, lengthMax);
    matches.push([back, count]);
    for (let i = 0; i < count; i++) plain.push(plain[plain.length - back]!);
  }
  return { plain: Uint8Array.from(plain), matches };
}

function uvarint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...uvarint(value >>> 7)];
}

test('snappy: any sequence of literals and matches', () => {
  fc.assert(
    fc.property(elements, fc.boolean(), (list, wantsWide) => {
      const { plain, matches } = expand(list, 64);
      const block = uvarint(plain.length);
      list.forEach(({ literal }, i) => {
        const size = literal.length - 1;
        if (size < 60) block.push(size << 2);
        else if (size < 256) block.push(60 << 2, size);
        else block.push(61 << 2, size & 0xff, size >>> 8);
        block.push(...literal);
        const [distance, length] = matches[i]!;
        if (wantsWide) block.push(((length - 1) << 2) | 3, distance & 0xff, distance >>> 8, 0, 0);
        else if (length < 12 && distance < 2048)
          block.push(((distance >>> 8) << 5) | ((length - 4) << 2) | 1, distance & 0xff);
        else block.push(((length - 1) << 2) | 2, distance & 0xff, distance >>> 8);
      });
      assert.deepEqual(decompress(Compression.snappy, Uint8Array.from(block), plain.length), plain);
    }),
  );
});

function lz4Frame(blocks: readonly (readonly number[])[]): Uint8Array {
  const bytes = [0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0];
  for (const block of blocks)
    bytes.push(block.length & 0xff, (block.length >>> 8) & 0xff, block.length >>> 16, 0, ...block);
  return Uint8Array.from([...bytes, 0, 0, 0, 0]);
}

function lz4Length(length: number): number[] {
  if (length < 15) return [];
  const bytes: number[] = [];
  let rest = length - 15;
  for (; rest >= 255; rest -= 255) bytes.push(255);
  return [...bytes, rest];
}

test('lz4: any sequence of literals and matches, over blocks that refer to each other', () => {
  fc.assert(
    fc.property(elements, fc.boolean(), (list, isOneBlock) => {
      const { plain, matches } = expand(list, 400);
      const sequences = list.map(({ literal }, i) => {
        const [distance, length] = matches[i]!;
        const token = (Math.min(15, literal.length) << 4) | Math.min(15, length - 4);
        return [
          token,
          ...lz4Length(literal.length),
          ...literal,
          distance & 0xff,
          distance >>> 8,
          ...lz4Length(length - 4),
        ];
      });
      const blocks = isOneBlock ? [[...sequences.flat(), 0]] : sequences.map((sequence) => [...sequence, 0]);
      assert.deepEqual(decompress(Compression.lz4, lz4Frame(blocks), plain.length), plain);
    }),
  );
});

test('a match from before the beginning is refused', () => {
  assertFails('bad-compression', () =>
    decompress(Compression.snappy, Uint8Array.from([6, 0, 97, 0x05, 2]), 100),
  );
  assertFails('bad-compression', () =>
    decompress(Compression.snappy, Uint8Array.from([6, 0, 97, 0x05, 0]), 100),
  );
  assertFails('bad-compression', () => decompress(Compression.lz4, lz4Frame([[0x10, 97, 2, 0, 0]]), 100));
  assert.equal(
    Buffer.from(decompress(Compression.snappy, Uint8Array.from([6, 0, 97, 0x05, 1]), 100)).toString(),
    'aaaaaa',
  );
  assert.equal(
    Buffer.from(decompress(Compression.lz4, lz4Frame([[0x10, 97, 1, 0, 0]]), 100)).toString(),
    'aaaaa',
  );
});

const codecs = [Compression.gzip, Compression.snappy, Compression.lz4, Compression.zstd];

test('changed bytes become something within the limit or a WireError', () => {
  const usable = lines.filter(({ bytes }) => bytes.length > 0);
  fc.assert(
    fc.property(
      fc.constantFrom(...usable),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }),
      fc.nat(),
      ({ codec, bytes }, changes, cut) => {
        const changed = Buffer.from(
          bytes.subarray(0, cut % 3 === 0 ? cut % (bytes.length + 1) : bytes.length),
        );
        for (const [at, byte] of changes) if (changed.length > 0) changed[at % changed.length] = byte;
        const run = codec === Compression.zstd ? plainZstd : decompress;
        try {
          assert.ok(run(codec, changed, 100_000).length <= 100_000);
        } catch (error) {
          assert.ok(error instanceof WireError, String(error));
        }
      },
    ),
    { numRuns: 1000 },
  );
});

function plainZstd(_: number, bytes: Uint8Array, bytesMax: number): Uint8Array {
  return decompressZstdPlain(bytes, bytesMax);
}

test('random bytes become something within the limit or a WireError', () => {
  fc.assert(
    fc.property(fc.constantFrom(...codecs), fc.uint8Array({ maxLength: 100 }), (codec, bytes) => {
      try {
        assert.ok(decompress(codec, bytes, 10_000).length <= 10_000);
      } catch (error) {
        assert.ok(error instanceof WireError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('bombs are defused', () => {
  const zeros = gzipSync(Buffer.alloc(2 ** 26));
  const before = process.memoryUsage().arrayBuffers;
  assertFails('decompressed-size', () => decompress(Compression.gzip, zeros, plainBytesMax));
  // A length byte of 255 after the other.
  const endless = [0x1f, 0x61, 1, 0, ...Array.from({ length: 60_000 }, () => 255), 0, 0];
  assertFails('decompressed-size', () => decompress(Compression.lz4, lz4Frame([endless]), plainBytesMax));
  // Announced, not there.
  assertFails('bad-compression', () =>
    decompress(Compression.snappy, Uint8Array.from([...uvarint(2 ** 30), 0, 0]), 2 ** 31),
  );
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 24);
});

test('zstd: the size that a frame announces is not trusted', () => {
  const header = [0x28, 0xb5, 0x2f, 0xfd];
  const emptyBlock = [1, 0, 0];
  const before = process.memoryUsage().arrayBuffers;
  // A window of 2 GiB and no content.
  assert.equal(
    decompressZstdPlain(Uint8Array.from([...header, 0, 21 << 3, ...emptyBlock]), plainBytesMax).length,
    0,
  );
  // A content of 2^62 bytes.
  const huge = [...header, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x40, ...emptyBlock];
  assertFails('decompressed-size', () => decompressZstdPlain(Uint8Array.from(huge), plainBytesMax));
  // 128 KiB of one byte, over and over.
  const run = [2, 0, 0x10, 0x61];
  const runs = [...header, 0, 0x58, ...Array.from({ length: 100 }, () => run).flat(), ...emptyBlock];
  assertFails('decompressed-size', () => decompressZstdPlain(Uint8Array.from(runs), plainBytesMax));
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 24);
});

describe('zstd that would never end', () => {
  const frame = (block: readonly number[]): Uint8Array => {
    const head = (block.length << 3) | 5; // compressed, and the last one
    return Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, head & 255, head >> 8, 0, ...block]);
  };

  test('Huffman weights by a table of one symbol, which takes no bits', () => {
    // 8 literals in one stream; a description of 5 bytes: 2^5 states, all of them symbol 0, and a stream.
    const literals = [0x82, 0x80, 0x01, 5, 0xf0, 0x03, 0x01, 0x01, 0x01];
    assertFails('bad-compression', () => decompressZstdPlain(frame([...literals, 0]), plainBytesMax));
  });

  test('98,047 matches of 65,539 bytes each', () => {
    // A literal; then tables of one symbol each for literals (none), offsets (1) and matches (code 52: 16
    // more bits).
    const block = [0x08, 0x61, 255, 255, 255, 0x54, 0, 0, 52, ...Array.from({ length: 2000 }, () => 255)];
    assertFails('bad-compression', () => decompressZstdPlain(frame(block), plainBytesMax));
  });
});

describe('zstd that costs more than its bytes', () => {
  const head = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
  const last = [1, 0, 0];
  const isTooMuch = { code: 'bad-compression', message: /far more work/ };

  test('tables of 2^11 places, each for one literal in ten bytes', () => {
    assert.equal(decompressZstdPlain(tableBlocks(200), plainBytesMax).length, 20);
    assert.throws(() => decompressZstdPlain(tableBlocks(2 ** 20), plainBytesMax), isTooMuch);
  });

  test('sequences that take no bits and make three bytes', () => {
    const raw = [8 << 3, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    const count = 43_000 - 0x7f00;
    // Four literals; then tables of one symbol each: no literals, the offset before the last one, three
    // bytes.
    const sequences = [0x20, 1, 2, 3, 4, 255, count & 255, count >> 8, 0x54, 0, 0, 0, 1];
    const block = [((sequences.length << 3) | 4) & 255, 0, 0, ...sequences];
    const blocks = Array.from({ length: 500 }, () => block).flat();
    const bytes = Uint8Array.from([...head, ...raw, ...blocks, ...last]);
    assert.throws(() => decompressZstdPlain(bytes, 2 ** 26), isTooMuch);
  });

  test('frames of nine bytes are opened without a decoder of their own each', () => {
    const frames = Buffer.alloc(9 * 100_000, Uint8Array.from([...head, ...last]));
    const { user } = process.cpuUsage();
    assert.equal(decompress(Compression.zstd, frames, plainBytesMax).length, 0);
    const tookMs = (process.cpuUsage().user - user) / 1000;
    assert.ok(tookMs < 1000, `${tookMs} ms`);
  });

  test('a stream that was flushed after every message of some bytes is none of these', () => {
    const plain = Array.from(
      { length: 60 },
      (_, at) =>
        `{"id":${(at * 7919) % 997},"name":"n${(at * 31) % 17}","flag":${at % 3 === 0},"text":"${'abcdefghij'.slice(at % 5, (at % 5) + 5).repeat((at % 4) + 1)}"}`,
    ).join('');
    const bytes = Buffer.from(flushedStream, 'base64');
    assert.equal(Buffer.from(decompressZstdPlain(bytes, plainBytesMax)).toString(), plain);
  });
});

test('a codec that is not known is refused', () => {
  for (const codec of [0, 5, 7])
    assertFails('unsupported-compression', () => decompress(codec, new Uint8Array(1), 1));
});
