import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { AnswerRoom, AnswerShare, Flusher, Output } from '../../../src/protocols/connections/index.ts';
import { natsLimits } from '../../../src/protocols/nats/limits.ts';
import { VirtualClock } from '../../../src/util/index.ts';

test('the segment of an output that ends with a few bytes is filled again', () => {
  const written: string[] = [];
  const socket = {
    writableLength: 0,
    write: (bytes: Buffer) => written.push(bytes.toString()),
    end: () => written.push('end'),
  } as unknown as Socket;
  const clock = new VirtualClock();
  const flusher = new Flusher(clock);
  const room = new AnswerRoom(clock, { bytesMax: 1, behindMsMax: 1 });
  const share = new AnswerShare(room, clock, { end: () => assert.fail('it is read') });
  const output = new Output(socket, flusher, natsLimits(), share, () => assert.fail('it is little'));
  output.append(Buffer.from("-ERR 'Authentication Timeout'\r\n"));
  const segment = output.buffer;
  output.end();
  assert.deepEqual(written, ["-ERR 'Authentication Timeout'\r\n", 'end']);
  assert.equal(flusher.segments.take(), segment);
  assert.equal(room.bytes, 0);
});
