import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  contentSize,
  encodeProperties,
  FrameParser,
  heartbeatFrame,
  methodFrame,
  methods,
  protocolHeader,
  WireError,
  writeContent,
  type WireErrorCode,
} from '../../../src/wire/amqp/index.ts';
import { frameBytesMax, read, Transcript } from './transcript.ts';

/** The frames of a content. */
function content(channel: number, body: string, bytesMax: number = frameBytesMax): Buffer {
  const properties = encodeProperties({ contentType: 'text/plain', deliveryMode: 2 });
  const bytes = Buffer.from(body, 'latin1');
  const frames = Buffer.alloc(contentSize(properties.length, bytes.length, bytesMax));
  const parts = { properties, body: bytes, bodyStart: 0, bodyEnd: bytes.length };
  assert.equal(writeContent(frames, 0, channel, parts, bytesMax), frames.length);
  return frames;
}

const publish = methodFrame(1, methods.basic.publish, {
  reserved1: 0,
  exchange: 'amq.topic',
  routingKey: 'a.b',
  mandatory: true,
  immediate: false,
});
const declare = methodFrame(3, methods.queue.declare, {
  reserved1: 0,
  queue: 'orders',
  passive: false,
  durable: true,
  exclusive: false,
  autoDelete: true,
  noWait: false,
  arguments: new Map([['x-max-length', 10]]),
});
const input = Buffer.concat([
  protocolHeader,
  declare,
  publish,
  content(1, 'hello world', 12),
  heartbeatFrame,
  publish,
  content(1, ''),
]);
const lines = [
  'begun',
  '3 queue.declare {"reserved1":0,"queue":"orders","passive":false,"durable":true,"exclusive":false,"autoDelete":true,"noWait":false,"arguments":{"x-max-length":10}}',
  '1 basic.publish {"reserved1":0,"exchange":"amq.topic","routingKey":"a.b","mandatory":true,"immediate":false}',
  '1 header 60 11 {"contentType":"text/plain","deliveryMode":2}',
  '1 body hello world',
  '0 heartbeat',
  '1 basic.publish {"reserved1":0,"exchange":"amq.topic","routingKey":"a.b","mandatory":true,"immediate":false}',
  '1 header 60 0 {"contentType":"text/plain","deliveryMode":2}',
];

describe('frames', () => {
  it('are read from one chunk', () => {
    assert.deepEqual(read(input), lines);
  });

  it('are read however they are cut', () => {
    assert.deepEqual(read(...Array.from(input, (byte) => Buffer.from([byte]))), lines);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: input.length })), (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), input.length];
        const chunks = edges.slice(1).map((end, i) => input.subarray(edges[i], end));
        assert.deepEqual(read(...chunks), lines);
      }),
      { numRuns: 200 },
    );
  });

  it('wait while the parser is paused', () => {
    const transcript = new Transcript();
    const parser = new FrameParser({ ...sinkOf(transcript), heartbeat: () => parser.pause() }, frameBytesMax);
    const taken = parser.parse(input);
    assert.deepEqual(transcript.lines, lines.slice(0, 5));
    parser.resume();
    assert.equal(taken + parser.parse(input.subarray(taken)), input.length);
    assert.deepEqual(transcript.lines, [...lines.slice(0, 5), ...lines.slice(6)]);
  });

  it('cost no more memory than the bytes that have come', () => {
    const parser = new FrameParser(new Transcript(), 2 ** 31);
    parser.parse(protocolHeader);
    parser.parse(Buffer.from([1, 0, 1, 0x7f, 0, 0, 0, 1]));
    assert.ok(parser.pendingBytes < 10);
  });
});

describe('input that is refused', () => {
  const cases: readonly (readonly [what: string, bytes: Buffer, code: WireErrorCode])[] = [
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n'), 'protocol-header'],
    ['another version', Buffer.from('AMQP\x01\x01\x00\x0a', 'latin1'), 'protocol-header'],
    ['an unknown type', Buffer.from([4, 0, 0, 0, 0, 0, 0, 0xce]), 'frame-type'],
    ['a frame that is too large', Buffer.from([1, 0, 0, 0, 2, 0, 0, 0xce]), 'frame-too-large'],
    ['a method without its end', Buffer.from([8, 0, 0, 0, 0, 0, 0, 0]), 'frame-end'],
    ['a body without its end', Buffer.from([3, 0, 1, 0, 0, 0, 1, 65, 66]), 'frame-end'],
    ['arguments that are cut', Buffer.from([1, 0, 1, 0, 0, 0, 5, 0, 60, 0, 40, 0, 0xce]), 'truncated'],
    ['a header that is cut', Buffer.from([2, 0, 1, 0, 0, 0, 4, 0, 60, 0, 0, 0xce]), 'truncated'],
  ];
  for (const [what, bytes, code] of cases)
    it(what, () => {
      const start = code === 'protocol-header' ? [] : [protocolHeader];
      const isIt = (error: unknown): boolean => error instanceof WireError && error.code === code;
      assert.throws(() => read(...start, bytes), isIt);
      assert.throws(() => read(...start, ...Array.from(bytes, (byte) => Buffer.from([byte]))), isIt);
    });
});

function sinkOf(transcript: Transcript): Omit<Transcript, 'lines' | 'heartbeat'> {
  return {
    begun: () => transcript.begun(),
    method: (...frame) => transcript.method(...frame),
    header: (...frame) => transcript.header(...frame),
    body: (...frame) => transcript.body(...frame),
  };
}
