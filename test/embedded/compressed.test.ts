import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Broker, RealFiles, type DamageReport } from '../../src/broker/index.ts';
import { open, text } from '../../src/index.ts';
import { KafkaFrontend } from '../../src/protocols/kafka/index.ts';
import { Compression } from '../../src/wire/kafka/index.ts';
import { KafkaClient, batchOf } from '../protocols/kafka/kit.ts';
import { makeTemporaryDirectory } from '../support/index.ts';
import { collect } from './kit.ts';

/**
 * Snappy and LZ4 that compress nothing: one literal of up to 60 bytes, which is all that the formats ask for.
 */
function snappyLiteral(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([bytes.length, (bytes.length - 1) << 2]), bytes]);
}

function lz4Stored(bytes: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE((bytes.length | 0x80000000) >>> 0, 0);
  return Buffer.concat([
    Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x40, 0x70, 0xdf]),
    size,
    bytes,
    Buffer.alloc(4),
  ]);
}

/** A frame of one raw block. */
function zstdRaw(bytes: Buffer): Buffer {
  const block = Buffer.alloc(3);
  block.writeUIntLE((bytes.length << 3) | 1, 0, 3);
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58]), block, bytes]);
}

const codecs: readonly (readonly [name: string, codec: number, compress: (bytes: Buffer) => Buffer])[] = [
  ['gzip', Compression.gzip, (bytes) => gzipSync(bytes)],
  ['snappy', Compression.snappy, snappyLiteral],
  ['lz4', Compression.lz4, lz4Stored],
  ['zstd', Compression.zstd, zstdRaw],
];

test('a box reads batches compressed by Kafka clients, in the directory of a stopped server', async () => {
  await using directory = await makeTemporaryDirectory();
  const dir = directory.path;
  {
    const broker = await Broker.open({ dir, files: new RealFiles() });
    const frontend = new KafkaFrontend({ broker });
    const { port } = await frontend.listen({ host: '127.0.0.1', port: 0 });
    using client = await KafkaClient.connect(port);
    await client.createTopic('t');
    for (const [name, codec, compress] of codecs) {
      const compression = { codec, compress: (bytes: Uint8Array) => compress(Buffer.from(bytes)) };
      assert.equal((await client.produce('t', batchOf([name, `${name} too`], { compression }))).errorCode, 0);
    }
    await frontend.close();
    await broker.close();
  }
  const damage: DamageReport[] = [];
  await using box = await open({ dir, onDamaged: (report) => damage.push(report) });
  const topic = await box.topic('t', { codec: text });
  const expected = codecs.flatMap(([name]) => [name, `${name} too`]);
  assert.deepEqual(
    (await collect(topic.browse())).map(({ value }) => value),
    expected,
  );
  const group = await topic.group('g');
  for (const value of expected) {
    const message = await group.next();
    assert.equal(message?.value, value);
    await message?.ack();
  }
  assert.deepEqual(damage, []);
});
