import assert from 'node:assert/strict';
import { FrameSplitter, WireError, readRequest } from '../../../src/wire/kafka/index.ts';
import { defaultLimits } from '../../../src/protocols/kafka/limits.ts';
import { readFixture } from '../../wire/kafka/kit.ts';
import type { Target } from '../target.ts';

interface Line {
  readonly kind: string;
  readonly bytes: string;
}

/** As shipped. */
const { requestBytesMax, requestElementsMax } = defaultLimits;

/** The bytes of a Kafka client: frames, whole and cut in pieces, and the requests in them. */
export const kafkaRequest: Target = {
  name: 'kafka-request',
  seeds: () =>
    readFixture<Line>('clients')
      .filter(({ kind }) => kind === 'request')
      .map(({ bytes }) => framed(Buffer.from(bytes, 'base64'))),
  prepare: () => (input) => {
    const whole = framesOf([input]);
    const at = input.length === 0 ? 0 : (input[input.length - 1]! * 7919) % input.length;
    assert.deepEqual(framesOf([input.subarray(0, at), input.subarray(at)]), whole);
    for (const frame of whole) if (typeof frame !== 'string') decode(frame);
    decode(input);
  },
};

function framesOf(chunks: readonly Buffer[]): (Buffer | string)[] {
  const splitter = new FrameSplitter(requestBytesMax);
  const frames: (Buffer | string)[] = [];
  try {
    for (const chunk of chunks) {
      splitter.push(chunk);
      for (let frame = splitter.next(); frame; frame = splitter.next()) frames.push(frame);
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    frames.push(error.code);
  }
  return frames;
}

function decode(frame: Buffer): void {
  try {
    const { api, apiVersion, body } = readRequest(frame, requestElementsMax);
    api?.request.decode(body, apiVersion);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}

function framed(request: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(request.length);
  return Buffer.concat([size, request]);
}
