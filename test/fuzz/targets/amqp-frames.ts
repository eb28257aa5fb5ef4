import assert from 'node:assert/strict';
import {
  encodeProperties,
  encodeTable,
  methodFrame,
  methods,
  protocolHeader,
  WireError,
} from '../../../src/wire/amqp/index.ts';
import { read } from '../../wire/amqp/transcript.ts';
import type { Target } from '../target.ts';

/** The bytes of a client, whole and cut in pieces, decoded down to the values of tables. */
export const amqpFrames: Target = {
  name: 'amqp-frames',
  words: [
    '\x01\x00\x01',
    '\x02\x00\x01',
    '\x03\x00\x01',
    '\x08\x00\x00',
    '\xce',
    '\x00\x3c\x00\x28',
    'S',
    'F',
    'A',
  ],
  seeds: () => {
    const table = new Map([['x-arg', encodeTable([['deep', new Map([['er', [1, 'two', null]]])]])]]);
    const open = methodFrame(0, methods.connection.startOk, {
      clientProperties: table,
      mechanism: 'PLAIN',
      response: Buffer.from('\0guest\0guest'),
      locale: 'en_US',
    });
    const publish = methodFrame(1, methods.basic.publish, {
      reserved1: 0,
      exchange: 'x',
      routingKey: 'a.b',
      mandatory: true,
      immediate: false,
    });
    const properties = encodeProperties({ headers: table, deliveryMode: 2, timestamp: 1 });
    const header = Buffer.concat([
      Buffer.from([2, 0, 1, 0, 0, 0, 12 + properties.length, 0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]),
      properties,
      Buffer.from([0xce]),
    ]);
    const body = Buffer.from([3, 0, 1, 0, 0, 0, 2, 104, 105, 0xce]);
    return [
      Buffer.concat([protocolHeader, open]),
      Buffer.concat([protocolHeader, publish, header, body]),
      Buffer.concat([protocolHeader, Buffer.from([8, 0, 0, 0, 0, 0, 0, 0xce])]),
    ];
  },
  prepare: () => (input) => {
    assert.deepEqual(outcome([input]), outcome(pieces(input)));
  },
};

function outcome(chunks: readonly Buffer[]): unknown {
  try {
    return read(...chunks);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return error.code;
  }
}

function pieces(input: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < input.length; at += 3) chunks.push(input.subarray(at, at + 3));
  return chunks;
}
