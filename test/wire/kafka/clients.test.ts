import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  WireError,
  Writer,
  apis,
  decodeConsumerAssignment,
  decodeConsumerSubscription,
  encodeConsumerAssignment,
  encodeConsumerSubscription,
  includes,
  readProducedBatches,
  readRequest,
  readResponse,
  readResponseHeader,
  splitBatches,
  writeRequest,
  writeResponse,
  type AnyApi,
  type ApiName,
  type ProduceRequest,
  type FetchResponse,
} from '../../../src/wire/kafka/index.ts';
import type { Api } from '../../../src/wire/kafka/api.ts';
import type { Fields } from '../../../src/wire/kafka/schema.ts';
import { readFixture } from './kit.ts';

// Frames between real clients and Apache Kafka.

interface ClientFrame {
  readonly client: string;
  readonly api: ApiName;
  readonly version: number;
  readonly kind: 'request' | 'response';
  readonly bytes: string;
}

const frames = readFixture<ClientFrame>('clients');

for (const { client, api: name, version, kind, bytes } of frames) {
  const frame = Buffer.from(bytes, 'base64');
  const api = apis[name] as AnyApi as Api<Fields, Fields>;
  if (kind === 'request') {
    test(`${name} ${version} of ${client}`, () => {
      const request = readRequest(frame);
      assert.equal(request.apiKey, api.key);
      assert.equal(request.api?.name, name);
      assert.equal(request.apiVersion, version);
      const message = api.request.decode(request.body, version);
      assert.equal(request.body.remaining, 0);
      const writer = new Writer();
      writeRequest(writer, api, version, request.correlationId, request.clientId, message);
      assertSame(writer, frame);
    });
  } else {
    test(`${name} ${version}, answered to ${client}`, () => {
      const response = readResponseHeader(frame);
      const message = readResponse(response, api, version);
      assert.equal(response.rest.remaining, 0);
      const writer = new Writer();
      writeResponse(writer, api, version, response.correlationId, message);
      assertSame(writer, frame);
    });
  }
}

function assertSame(writer: Writer, frame: Buffer): void {
  const written = Buffer.concat(writer.take());
  assert.equal(written.readInt32BE(0), frame.length);
  assert.equal(written.toString('hex', 4), frame.toString('hex'));
}

test('the versions that clients of today choose are advertised', () => {
  // Parts of Kafka 4.4 that we leave out: topics by id in Produce and offsets, and APIs for followers and
  // tiers.
  const leftOut = [
    'Produce 13',
    'Fetch 18',
    'ListOffsets 11',
    'OffsetCommit 10',
    'OffsetFetch 10',
    'TxnOffsetCommit 6',
  ];
  const chosen = frames.map(({ api, version }) => ({ api, version, name: `${api} ${version}` }));
  const missing = chosen
    .filter(({ api, version }) => !includes(apis[api].advertised, version))
    .map(({ name }) => name);
  assert.deepEqual([...new Set(missing)].toSorted(), leftOut.toSorted());
});

test('the record batches of clients pass the checks, and are views of their frame', () => {
  const clients = new Set<string>();
  for (const { client, api, kind, bytes } of frames) {
    if (api !== 'Produce' || kind !== 'request') continue;
    const frame = Buffer.from(bytes, 'base64');
    const { apiVersion, body } = readRequest(frame);
    const request: ProduceRequest = apis.Produce.request.decode(body, apiVersion);
    for (const topic of request.topicData) {
      for (const { records } of topic.partitionData) {
        assert.equal(records!.buffer, frame.buffer);
        assert.equal(readProducedBatches(records).length, 1);
        clients.add(client);
      }
    }
  }
  assert.equal(clients.size, 4);
});

test('the record batches that a broker sends are intact', () => {
  let count = 0;
  for (const { api, kind, version, bytes } of frames) {
    if (api !== 'Fetch' || kind !== 'response') continue;
    const response: FetchResponse = readResponse(
      readResponseHeader(Buffer.from(bytes, 'base64')),
      apis.Fetch,
      version,
    );
    for (const topic of response.responses) {
      for (const { records } of topic.partitions) {
        for (const batch of splitBatches(records ?? Buffer.alloc(0), true)) {
          assert.ok(batch.isIntact);
          count++;
        }
      }
    }
  }
  assert.ok(count > 0);
});

test('the messages between members of classic groups', () => {
  const clients = new Set<string>();
  for (const { client, api, kind, version, bytes } of frames) {
    if (kind !== 'request' || (api !== 'JoinGroup' && api !== 'SyncGroup')) continue;
    const { body } = readRequest(Buffer.from(bytes, 'base64'));
    if (api === 'JoinGroup') {
      for (const { metadata } of apis.JoinGroup.request.decode(body, version).protocols) {
        const subscription = decodeConsumerSubscription(metadata);
        assert.equal(subscription.topics.length, 1, client);
        clients.add(client);
        // This one says version 1 and leaves out the fields of version 1.
        if (client.startsWith('@platformatic')) continue;
        const again = encodeConsumerSubscription(metadata.readInt16BE(), subscription);
        assert.equal(again.toString('hex'), metadata.toString('hex'), client);
      }
    } else {
      for (const { assignment } of apis.SyncGroup.request.decode(body, version).assignments) {
        const decoded = decodeConsumerAssignment(assignment);
        assert.ok(decoded.assignedPartitions.length > 0, client);
        const again = encodeConsumerAssignment(assignment.readInt16BE(), decoded);
        assert.equal(again.toString('hex'), assignment.toString('hex'), client);
      }
    }
  }
  assert.equal(clients.size, 4);
});

test('a later version of the consumer protocol begins like the one that is known', () => {
  const bytes = encodeConsumerSubscription(3, { topics: ['orders'], generationId: 7, rackId: 'r' });
  bytes.writeInt16BE(9);
  const { topics, generationId, rackId } = decodeConsumerSubscription(
    Buffer.concat([bytes, Buffer.alloc(5)]),
  );
  assert.deepEqual({ topics, generationId, rackId }, { topics: ['orders'], generationId: 7, rackId: 'r' });
  assert.throws(() => decodeConsumerSubscription(Buffer.from([255, 255])), WireError);
});
