/**
 * Few bytes that become many: compressed batches that explode, in front of readers that speak no Kafka and so
 * have to open them.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Compression } from '../../../src/wire/kafka/index.ts';
import { KafkaClient, batchOf } from '../../protocols/kafka/kit.ts';
import { uniqueName, useServer } from '../../support/index.ts';

const mib = 2 ** 20;
/** Twice the allowed size of a batch. */
const plainBytes = 128 * mib;

/** A literal byte, and copies of 64 bytes from the one before. */
function snappyBomb(): Buffer {
  const copy = Buffer.from([(63 << 2) | 2, 1, 0]);
  return Buffer.concat([
    Buffer.from([0x80, 0x80, 0x80, 0x40, 0, 0x61]), // 2^27 bytes, it says
    Buffer.alloc((plainBytes / 64) * copy.length, copy),
  ]);
}

/** Blocks of one match with an endless length. */
function lz4Bomb(): Buffer {
  const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x40, 0x70, 0xdf]);
  const block = Buffer.concat([
    Buffer.from([0x1f, 0x61, 1, 0]),
    Buffer.alloc(16_000, 255),
    Buffer.from([0, 0x10, 0x61]),
  ]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(block.length, 0);
  return Buffer.concat([head, ...Array.from({ length: 40 }, () => [size, block]).flat(), Buffer.alloc(4)]);
}

/** Blocks of 128 KiB that say one byte over and over. */
function zstdBomb(): Buffer {
  const blocks = plainBytes / (128 * 1024);
  const block = Buffer.from([2, 0, 0x10, 0x61]);
  return Buffer.concat([
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58]),
    Buffer.alloc(blocks * block.length, block),
    Buffer.from([1, 0, 0]),
  ]);
}

const bombs: readonly (readonly [name: string, codec: number, bomb: () => Buffer])[] = [
  ['gzip', Compression.gzip, () => gzipSync(Buffer.alloc(plainBytes))],
  ['snappy', Compression.snappy, snappyBomb],
  ['lz4', Compression.lz4, lz4Bomb],
  ['zstd', Compression.zstd, zstdBomb],
];

/** The most memory that a process ever had resident; undefined where the system does not say. */
function peakBytes(pid: number): number | undefined {
  try {
    const [, kib] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}

const server = useServer();

for (const [name, codec, bomb] of bombs)
  test(`a ${name} bomb: a NATS consumer and a look by the admin interface get past it`, async () => {
    const { kafkaPort, natsAddress, adminPort, pid } = server();
    const topic = uniqueName('bombs');
    using kafka = await KafkaClient.connect(kafkaPort);
    await kafka.createTopic(topic);
    const before = peakBytes(pid);
    const bytes = bomb();
    for (let i = 0; i < 3; i++) {
      const batch = batchOf(['bomb', 'bomb'], { compression: { codec, compress: () => bytes } });
      assert.equal((await kafka.produce(topic, batch)).errorCode, 0);
    }
    await kafka.produce(topic, batchOf(['after']));

    const nats = await connect({ servers: natsAddress });
    try {
      const manager = await jetstreamManager(nats);
      await manager.consumers.add(topic, { durable_name: 'reader', ack_policy: AckPolicy.Explicit });
      const consumer = await jetstream(nats).consumers.get(topic, 'reader');
      const message = await consumer.next({ expires: 20_000 });
      assert.equal(message?.string(), 'after');
      assert.equal(message?.seq, 7);
      message?.ack();
    } finally {
      await nats.close();
    }

    const answer = await fetch(`http://127.0.0.1:${adminPort}/api/v1/topics/${topic}/messages`);
    const { messages } = (await answer.json()) as { messages: { value: string }[] };
    assert.deepEqual(
      messages.map(({ value }) => value),
      ['after'],
    );

    assert.equal((await kafka.call('Metadata', 5, { topics: [] })).brokers.length, 1, 'others are served');
    const after = peakBytes(pid);
    // 64 MiB a batch is the limit, the buffer it grew from lives a little longer; the frames came by the
    // network.
    if (before !== undefined && after !== undefined)
      assert.ok(after - before < 400 * mib, `${Math.round((after - before) / mib)} MiB more`);
  });
