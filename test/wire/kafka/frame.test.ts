import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  ErrorCode,
  FrameSplitter,
  WireError,
  Writer,
  apiByKey,
  apis,
  includes,
  readRequest,
  readResponse,
  readResponseHeader,
  writeRequest,
  writeResponse,
} from '../../../src/wire/kafka/index.ts';
import { PoisonedBlocks } from '../../support/index.ts';
import { allApis, hex } from './kit.ts';

function framed(...bodies: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    bodies.flatMap((body) => {
      const size = Buffer.alloc(4);
      size.writeInt32BE(body.length);
      return [size, body];
    }),
  );
}

function drain(splitter: FrameSplitter): Buffer[] {
  const frames: Buffer[] = [];
  for (let frame = splitter.next(); frame !== undefined; frame = splitter.next()) frames.push(frame);
  return frames;
}

test('any split of the stream gives the same frames', () => {
  const bodies = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: 1000, max: 9000 }).map((length) => new Uint8Array(length).fill(length)),
    ),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(bodies, fc.array(fc.nat(), { maxLength: 30 }), fc.boolean(), (expected, cuts, isLazy) => {
      const stream = framed(...expected);
      const splitter = new FrameSplitter(10_000);
      const frames: Buffer[] = [];
      let start = 0;
      for (const cut of [
        ...cuts.map((each) => each % (stream.length + 1)).toSorted((a, b) => a - b),
        stream.length,
      ]) {
        splitter.push(Buffer.from(stream.subarray(start, cut)));
        start = cut;
        // A session that is busy leaves frames for later.
        if (!isLazy || cut % 2 === 0) frames.push(...drain(splitter));
      }
      frames.push(...drain(splitter));
      assert.deepEqual(
        frames.map((frame) => [...frame]),
        expected.map((body) => [...body]),
      );
      assert.equal(splitter.pendingBytes, 0);
    }),
    { numRuns: 300 },
  );
});

test('so does a stream of which large frames are read in place', () => {
  const lengths = fc.array(fc.oneof(fc.nat(100), fc.integer({ min: 20_000, max: 300_000 })), {
    maxLength: 5,
  });
  const reads = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(lengths, reads, (expected, readBytes) => {
      const stream = framed(...expected.map((length, at) => new Uint8Array(length).fill(at + 1)));
      const splitter = new FrameSplitter(300_000, new PoisonedBlocks());
      const shared = Buffer.alloc(50_000);
      const found: number[] = [];
      for (let at = 0, read = 0; at < stream.length; read++) {
        const room = splitter.room();
        const bytes = stream.copy(
          room ?? shared,
          0,
          at,
          Math.min(stream.length, at + readBytes[read % readBytes.length]!),
        );
        at += bytes;
        if (room) splitter.filled(bytes);
        else splitter.push(shared.subarray(0, bytes), true);
        for (const frame of drain(splitter)) {
          found.push(frame.length);
          assert.ok(frame.every((byte) => byte === found.length));
        }
        shared.fill(0);
      }
      assert.deepEqual(found, expected);
      assert.equal(splitter.pendingBytes, 0);
    }),
    { numRuns: 100 },
  );
});

test('a frame within a chunk is a view of it', () => {
  const chunk = framed(Buffer.from('one'), Buffer.from('two'));
  const splitter = new FrameSplitter(100);
  splitter.push(chunk);
  const [one, two] = drain(splitter);
  assert.equal(one!.buffer, chunk.buffer);
  assert.equal(one!.toString() + two!.toString(), 'onetwo');
});

test('an announced size costs nothing before its bytes are there', () => {
  const splitter = new FrameSplitter(100 * 2 ** 20);
  const stream = framed(new Uint8Array(0));
  stream.writeInt32BE(100 * 2 ** 20);
  const before = process.memoryUsage().arrayBuffers;
  splitter.push(Buffer.concat([stream, Buffer.alloc(2000)]));
  assert.equal(splitter.next(), undefined);
  splitter.push(Buffer.alloc(3000));
  assert.equal(splitter.next(), undefined);
  assert.equal(splitter.pendingBytes, 5004);
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20);
});

for (const [what, size] of [
  ['too large', 1001],
  ['negative', -1],
] as const) {
  test(`a frame of a size that is ${what} is refused, however it is cut`, () => {
    const stream = framed(new Uint8Array(0));
    stream.writeInt32BE(size);
    for (const cut of [4, 1, 3]) {
      const splitter = new FrameSplitter(1000);
      assert.throws(
        () => {
          for (const part of [stream.subarray(0, cut), stream.subarray(cut)]) {
            splitter.push(part);
            splitter.next();
          }
        },
        (error) => error instanceof WireError && error.code === 'frame-size',
      );
    }
  });
}

test('a frame is checked by its API as soon as that is known, however it is cut, and before the rest of it is kept', () => {
  const bytes = 5000;
  const stream = Buffer.concat([framed(Buffer.from([0, 3])), Buffer.alloc(2000)]);
  stream.writeInt32BE(bytes);
  for (const cut of [1, 3, 4, 5, 6, 7, 1000]) {
    const checked: (readonly [number, number])[] = [];
    const splitter = new FrameSplitter(2 ** 20, undefined, (apiKey, size) => {
      checked.push([apiKey, size]);
      if (apiKey === 3) throw new WireError('frame-size', 'too large for its API');
    });
    assert.throws(
      () => {
        for (const part of [stream.subarray(0, cut), stream.subarray(cut)]) {
          splitter.push(part);
          splitter.next();
        }
      },
      { code: 'frame-size' },
      `cut at ${cut}`,
    );
    assert.deepEqual(checked, [[3, bytes]], `cut at ${cut}`);
  }
});

test('frames of less than an API key are frames', () => {
  const splitter = new FrameSplitter(1000, undefined, () => assert.fail('there is no key'));
  splitter.push(Buffer.concat([framed(new Uint8Array(0)), framed(Buffer.from([7]))]));
  assert.equal(splitter.next()?.length, 0);
  assert.equal(splitter.next()?.length, 1);
  for (const byte of framed(Buffer.from([7]))) splitter.push(Buffer.from([byte]));
  assert.equal(splitter.next()?.length, 1);
});

function written(write: (writer: Writer) => void): Buffer {
  const writer = new Writer();
  write(writer);
  return Buffer.concat(writer.take());
}

test('requests: header 1 before flexible versions, header 2 from them on', () => {
  const request = { groupId: 'g', generationId: 1, memberId: 'm' };
  const frame = (version: number, clientId: string | null): Buffer =>
    written((writer) => writeRequest(writer, apis.Heartbeat, version, 7, clientId, request)).subarray(4);
  assert.deepEqual(frame(0, 'me'), hex('000c 0000 00000007 00026d65 000167 00000001 00016d'));
  assert.deepEqual(frame(0, null), hex('000c 0000 00000007 ffff 000167 00000001 00016d'));
  assert.deepEqual(frame(4, 'me'), hex('000c 0004 00000007 00026d65 00 0267 00000001 026d 00 00'));
});

test('responses: header 0 before flexible versions, header 1 from them on, and always header 0 for ApiVersions', () => {
  const old = written((writer) => writeResponse(writer, apis.Heartbeat, 0, 7, { errorCode: 27 }));
  assert.deepEqual(old, hex('00000006 00000007 001b'));
  const flexible = written((writer) => writeResponse(writer, apis.Heartbeat, 4, 7, { errorCode: 27 }));
  assert.deepEqual(flexible, hex('0000000c 00000007 00 00000000 001b 00'));
  const versions = written((writer) =>
    writeResponse(writer, apis.ApiVersions, 3, 7, { errorCode: 0, apiKeys: [] }),
  );
  assert.deepEqual(versions, hex('0000000c 00000007 0000 01 00000000 00'));
});

test('a version of ApiVersions that is not known can be answered in version 0', () => {
  const frame = hex('0012 0063 0000002a 00026d65 00 0377');
  const request = readRequest(frame);
  assert.equal(request.api, undefined);
  assert.deepEqual(
    [request.apiKey, request.apiVersion, request.correlationId, request.clientId],
    [apis.ApiVersions.key, 99, 42, 'me'],
  );
  const apiKeys = [{ apiKey: 18, minVersion: 0, maxVersion: 5 }];
  const answer = written((writer) =>
    writeResponse(writer, apis.ApiVersions, 0, 42, { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys }),
  );
  const response = readResponseHeader(answer.subarray(4));
  assert.equal(response.correlationId, 42);
  assert.deepEqual(readResponse(response, apis.ApiVersions, 0).apiKeys, apiKeys);
});

test('an API that is not known has a head and no body', () => {
  const request = readRequest(hex('7fff 0000 00000001 ffff'));
  assert.equal(request.api, undefined);
  assert.equal(request.clientId, null);
});

test('frames follow each other and leave together', () => {
  const all = written((writer) => {
    for (const correlationId of [1, 2, 3])
      writeResponse(writer, apis.Heartbeat, 0, correlationId, { errorCode: 0 });
  });
  const splitter = new FrameSplitter(100);
  splitter.push(all);
  assert.deepEqual(
    drain(splitter).map((frame) => readResponseHeader(frame).correlationId),
    [1, 2, 3],
  );
});

test('large records leave as they are, small ones are copied', () => {
  const large = Buffer.alloc(10_000, 'l');
  const small = Buffer.alloc(100, 's');
  const response = {
    responses: [
      {
        topic: 't',
        partitions: [
          {
            partitionIndex: 0,
            errorCode: 0,
            highWatermark: 1,
            abortedTransactions: null,
            records: [small, large, small],
          },
          { partitionIndex: 1, errorCode: 0, highWatermark: 1, abortedTransactions: null, records: large },
        ],
      },
    ],
  };
  const writer = new Writer();
  writeResponse(writer, apis.Fetch, 12, 9, response);
  const parts = writer.take();
  assert.equal(parts.filter((part) => part === large).length, 2);
  const bytes = Buffer.concat(parts);
  assert.equal(bytes.readInt32BE(0), bytes.length - 4);
  const decoded = readResponse(readResponseHeader(bytes.subarray(4)), apis.Fetch, 12);
  const records = decoded.responses[0]!.partitions.map((partition) => partition.records);
  assert.deepEqual(records, [Buffer.concat([small, large, small]), large]);
  assert.deepEqual(writer.take(), []);
});

test('a message that cannot be written leaves nothing behind', () => {
  const writer = new Writer();
  writeResponse(writer, apis.Heartbeat, 0, 1, { errorCode: 0 });
  const large = Buffer.alloc(10_000);
  const records = {
    partitionIndex: 0,
    errorCode: 0,
    highWatermark: 1,
    abortedTransactions: null,
    records: large,
  };
  const tooLong = {
    responses: [
      { topic: 't', partitions: [records] },
      { topic: 'x'.repeat(40_000), partitions: [] },
    ],
  };
  assert.throws(() => writeResponse(writer, apis.Fetch, 4, 2, tooLong), RangeError);
  writeResponse(writer, apis.Heartbeat, 0, 3, { errorCode: 0 });
  const splitter = new FrameSplitter(100);
  splitter.push(Buffer.concat(writer.take()));
  assert.deepEqual(
    drain(splitter).map((frame) => readResponseHeader(frame).correlationId),
    [1, 3],
  );
});

test('output that was taken is not overwritten by the next writes', () => {
  const writer = new Writer();
  const response = (errorCode: number): Buffer => {
    writeResponse(writer, apis.Heartbeat, 0, 1, { errorCode });
    return Buffer.concat(writer.take());
  };
  const first = writer.take();
  writeResponse(writer, apis.Heartbeat, 0, 1, { errorCode: 5 });
  const [taken] = writer.take();
  const before = Buffer.from(taken!);
  response(6);
  assert.deepEqual(taken, before);
  assert.deepEqual(first, []);
});

test('keys are unique, and advertised versions can be answered', () => {
  assert.equal(new Set(allApis.map((api) => api.key)).size, allApis.length);
  for (const api of allApis) {
    assert.equal(apiByKey(api.key)?.name, api.name);
    assert.ok(api.advertised.max <= api.versions.max && includes(api.versions, api.advertised.max), api.name);
  }
  // librdkafka before 2.11.1 looks for version 0 of Produce, which is as old as Kafka 0.8 and never used.
  assert.deepEqual(
    allApis.filter((api) => api.advertised.min < api.versions.min).map((api) => api.name),
    ['Produce'],
  );
});

test('frames of a chunk that is only lent are copies; those that end in a later chunk too', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 4000 }),
      (bodies, chunkBytes) => {
        const stream = Buffer.concat(
          bodies.map((body) => {
            const frame = Buffer.alloc(4 + body.length);
            frame.writeInt32BE(body.length, 0);
            frame.set(body, 4);
            return frame;
          }),
        );
        const shared = Buffer.alloc(chunkBytes);
        const splitter = new FrameSplitter(10_000);
        const frames: Buffer[] = [];
        for (let at = 0; at < stream.length; at += chunkBytes) {
          const bytes = stream.copy(shared, 0, at);
          splitter.push(shared.subarray(0, bytes), true);
          frames.push(...drain(splitter));
          shared.fill(0xee);
        }
        assert.deepEqual(
          frames.map((frame) => Buffer.from(frame)),
          bodies.map((body) => Buffer.from(body)),
        );
      },
    ),
  );
});
