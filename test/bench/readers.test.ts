import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { AckCounter } from '../../bench/load/ack-counter.ts';
import { readFrame, type ControlFrame } from '../../bench/load/frame.ts';
import { MessageCounter } from '../../bench/load/message-counter.ts';
import type { Link, Reader } from '../../bench/load/nats-socket.ts';
import { PullSubscription } from '../../bench/load/pull-subscription.ts';

/** A link without a network: it is fed bytes in pieces, and keeps the rest of an incomplete frame. */
class FedLink implements Link {
  reader: Reader = () => 0;
  readonly isDrained = true;
  readonly written: string[] = [];
  pings = 0;
  #held: Buffer = Buffer.alloc(0);

  write(bytes: Buffer | string): boolean {
    this.written.push(bytes.toString('latin1'));
    return true;
  }

  handleControl(frame: ControlFrame): void {
    if (frame.kind === 'ping') this.pings++;
  }

  feed(text: string, pieceBytes: readonly number[]): void {
    const bytes = Buffer.from(text, 'latin1');
    let position = 0;
    for (let piece = 0; position < bytes.length; piece++) {
      const next = position + (pieceBytes[piece % pieceBytes.length] ?? bytes.length);
      const buffer = Buffer.concat([this.#held, bytes.subarray(position, next)]);
      this.#held = buffer.subarray(this.reader(buffer, buffer.length));
      position = next;
    }
    assert.equal(this.#held.length, 0);
  }
}

const pieces = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 });
const pingPlaces = fc.array(fc.nat(120), { maxLength: 4 });

function streamOf(frames: number, pings: readonly number[], frameAt: (index: number) => string): string {
  return Array.from({ length: frames }, (_, index) =>
    pings.includes(index) ? `PING\r\n${frameAt(index)}` : frameAt(index),
  ).join('');
}

const pingsBefore = (frames: number, pings: readonly number[]): number =>
  new Set(pings.filter((place) => place < frames)).size;

test('messages of one size are counted however they are cut, with pings between them', () => {
  fc.assert(
    fc.property(fc.nat(120), pingPlaces, pieces, (frames, pings, cuts) => {
      const link = new FedLink();
      let counted = 0;
      void new MessageCounter(link, (messages) => (counted += messages));
      link.feed(
        streamOf(frames, pings, () => `MSG subject 1 16\r\n${'x'.repeat(16)}\r\n`),
        cuts,
      );
      assert.equal(counted, frames);
      assert.equal(link.pings, pingsBefore(frames, pings));
    }),
  );
});

test('acks are counted while their sequences grow', () => {
  fc.assert(
    fc.property(fc.nat(120), pingPlaces, pieces, (frames, pings, cuts) => {
      const link = new FedLink();
      let counted = 0;
      void new AckCounter(link, (acks) => (counted += acks));
      link.feed(
        streamOf(frames, pings, (index) => {
          const ack = `{"stream":"s", "seq":${index + 1}}`;
          return `MSG inbox.0 1 ${ack.length}\r\n${ack}\r\n`;
        }),
        cuts,
      );
      assert.equal(counted, frames);
      assert.equal(link.pings, pingsBefore(frames, pings));
    }),
  );
});

test('every delivery is acked on its own reply subject', () => {
  fc.assert(
    fc.property(fc.nat(120), pingPlaces, pieces, (frames, pings, cuts) => {
      const link = new FedLink();
      let counted = 0;
      const onMessages = (messages: number): void => void (counted += messages);
      const pull = new PullSubscription({ link, subject: 'next', inbox: 'inbox', batch: 1000, onMessages });
      pull.stop();
      const replyAt = (index: number): string =>
        `$JS.ACK.s.c.1.${index + 1}.${index + 1}.99.${frames - index}`;
      link.feed(
        streamOf(frames, pings, (index) => `MSG subject 1 ${replyAt(index)} 8\r\nxxxxxxxx\r\n`),
        cuts,
      );
      assert.equal(counted, frames);
      const acks = Array.from({ length: frames }, (_, index) => `PUB ${replyAt(index)} 4\r\n+ACK\r\n`);
      assert.equal(link.written.join(''), acks.join(''));
    }),
  );
});

test('a pull subscription keeps two requests under way until it is stopped', () => {
  const link = new FedLink();
  const pull = new PullSubscription({
    link,
    subject: 'next',
    inbox: 'inbox',
    batch: 2,
    onMessages: () => {},
  });
  const requests = (): number => link.written.filter((text) => text.startsWith('PUB next ')).length;
  pull.start();
  assert.equal(requests(), 2);
  const message = 'MSG subject 1 $JS.ACK.s.c.1.1.1.99.0 1\r\nx\r\n';
  link.feed(message, [message.length]);
  assert.equal(requests(), 2);
  link.feed(message, [message.length]);
  assert.equal(requests(), 3);
  pull.stop();
  link.feed(message.repeat(4), [message.length]);
  assert.equal(requests(), 3);
  assert.ok(pull.isIdle);
});

test("a refused publish, a status and an -ERR end the run with the server's words", () => {
  const feed = (text: string): void => {
    const link = new FedLink();
    void new AckCounter(link, () => {});
    link.feed(text, [text.length]);
  };
  const refused = '{"error":{"description":"maximum messages exceeded"},"seq":0}';
  assert.throws(() => feed(`MSG inbox 1 ${refused.length}\r\n${refused}\r\n`), /maximum messages exceeded/);
  assert.throws(() => feed('HMSG inbox 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n'), /503/);
  assert.throws(() => feed("-ERR 'Stale Connection'\r\n"), /Stale Connection/);
});

test('a message with headers is read with its status and payload', () => {
  const bytes = Buffer.from('HMSG inbox 1 reply 16 18\r\nNATS/1.0 503\r\n\r\nok\r\n', 'latin1');
  const frame = readFrame(bytes, 0, bytes.length);
  assert.equal(frame?.kind, 'message');
  assert.equal(frame?.end, bytes.length);
  assert.ok(frame?.kind === 'message' && frame.reply === 'reply' && frame.status === 'NATS/1.0 503');
  assert.equal(bytes.toString('latin1', frame.payloadPosition, frame.payloadEnd), 'ok');
  assert.equal(readFrame(bytes, 0, bytes.length - 1), undefined);
});
