import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answerRoomBytes } from '../../../src/protocols/connections/answer-room.ts';
import { AnswerRoom, AnswerShare, Hall } from '../../../src/protocols/connections/index.ts';
import { VirtualClock } from '../../../src/util/index.ts';
import { eventually } from '../../support/index.ts';
import { KafkaKit, batchOf, fetchRequest } from '../kafka/kit.ts';
import { TestServer, says } from '../nats/nats-kit.ts';

const kib = 1024;
const mib = 1024 * kib;

interface Kit {
  readonly clock: VirtualClock;
  readonly room: AnswerRoom;
  /** Names of connections that were ended. */
  readonly ended: string[];
  readonly share: (name: string) => AnswerShare;
}

function withRoom(bytesMax: number): Kit {
  const clock = new VirtualClock();
  const room = new AnswerRoom(clock, { bytesMax, behindMsMax: 2000 });
  const ended: string[] = [];
  const share = (name: string): AnswerShare =>
    new AnswerShare(room, clock, { end: () => void ended.push(name) });
  return { clock, room, ended, share };
}

describe('the room for answers', () => {
  test('gives less the less there is', () => {
    const { room, share } = withRoom(8000 * kib);
    assert.equal(room.share(500 * kib), 500 * kib);
    const one = share('one');
    one.waiting(7200 * kib, 0);
    assert.equal(room.share(500 * kib), 100 * kib);
    one.waiting(8000 * kib, 0);
    assert.ok(room.isFull);
    assert.equal(room.hasRoomFor(65 * kib), false);
    assert.ok(room.hasRoomFor(64 * kib), 'what is small never waits');
  });

  test('calls those that wait in their order, until it is full again', () => {
    const { room, share } = withRoom(100);
    const [one, other] = [share('one'), share('other')];
    one.waiting(100, 0);
    const called: string[] = [];
    room.whenRoom(() => {
      called.push('a');
      other.waiting(10, 0);
    });
    const forget = room.whenRoom(() => called.push('left'));
    room.whenRoom(() => called.push('b'));
    forget();
    one.waiting(90, 10);
    assert.deepEqual(called, ['a']);
    one.waiting(80, 20);
    assert.deepEqual(called, ['a', 'b']);
    assert.equal(room.bytes, 90);
  });

  test('when it is full, ends what has been behind for longest, and no more than it must', () => {
    const { clock, room, ended, share } = withRoom(100);
    const [late, early, small] = [share('late'), share('early'), share('small')];
    early.waiting(60, 0);
    clock.advance(1500);
    late.waiting(30, 0);
    small.waiting(10, 0);
    assert.ok(room.isFull);
    clock.advance(400);
    assert.deepEqual(ended, [], 'nothing was behind for 2 s');
    clock.advance(1000);
    assert.deepEqual(ended, ['early']);
    assert.equal(room.bytes, 40);
    clock.advance(60_000);
    assert.deepEqual(ended, ['early'], 'there is room');
    early.waiting(60, 0);
    assert.equal(room.bytes, 40, 'what has ended holds nothing');
  });

  test('a reader that keeps up is not behind, however much is sent to it', () => {
    const { clock, ended, share } = withRoom(100);
    const [fast, slow] = [share('fast'), share('slow')];
    slow.waiting(60, 0);
    for (let second = 0; second < 10; second++) {
      // All that waited a second ago has been read; as much waits again.
      fast.waiting(50, second * 50);
      slow.waiting(60 - second, second);
      clock.advance(1000);
      fast.waiting(50, (second + 1) * 50);
    }
    assert.deepEqual(ended, ['slow']);
  });

  test('asks what waits before it ends a connection', () => {
    const clock = new VirtualClock();
    const room = new AnswerRoom(clock, { bytesMax: 10, behindMsMax: 2000 });
    const end = (): void => assert.fail('all of it was read meanwhile');
    const share: AnswerShare = new AnswerShare(room, clock, { end, look: () => share.waiting(0, 10) });
    share.waiting(10, 0);
    clock.advance(10_000);
    assert.equal(room.bytes, 0);
  });

  test('is sized to memory', () => {
    assert.equal(answerRoomBytes(64 * mib), 32 * mib);
    assert.equal(answerRoomBytes(2048 * mib), 256 * mib);
    assert.equal(answerRoomBytes(64 * 1024 * mib), 1024 * mib);
  });
});

const value = 'x'.repeat(64 * kib);
const publish = `PUB a ${value.length}\r\n${value}\r\n`;

test('NATS subscribers that never read fill it together, and are ended before any has 64 MiB of its own', async () => {
  const clock = new VirtualClock();
  const hall = new Hall(clock, { unreadBytesMax: 8 * mib });
  await using server = await TestServer.start({ clock, hall, limits: { writeDeadlineMs: 60_000 } });
  using reader = await server.connect({ name: 'reader' });
  await says(reader, 'SUB a 1\r\n', '');
  for (let at = 0; at < 4; at++) {
    const stuck = await server.connect({ name: `stuck-${at}` });
    await says(stuck, 'SUB a 1\r\n', '');
    stuck.pause();
  }
  using publisher = await server.connect({ name: 'publisher' });
  for (let i = 0; i < 300; i++) publisher.send(publish);
  publisher.send('PING\r\n');
  await eventually(() => hall.room.isFull, { message: 'the room to be full' });
  const pending = server.nats.listConnections().reduce((sum, { pendingBytes }) => sum + pendingBytes, 0);
  assert.ok(pending < 16 * mib, `${pending} bytes wait: publishers are held once it is full`);
  assert.deepEqual(server.closeReasons, []);
  let isDone = false;
  void publisher.expect('PONG\r\n').then(() => (isDone = true));
  const readerWaits = (): number =>
    server.nats.listConnections().find(({ name }) => name === 'reader')!.pendingBytes;
  await eventually(() => {
    // Time passes while the reader has read all that there is: the others are behind, it is not.
    if (readerWaits() === 0) clock.advance(500);
    return isDone;
  });
  assert.ok(server.closeReasons.length > 0);
  assert.ok(server.closeReasons.every((reason) => reason === 'slow-consumer'));
});

test('one protocol’s unread output leaves another’s clients smaller answers', async () => {
  const clock = new VirtualClock();
  const hall = new Hall(clock, { unreadBytesMax: 4 * mib });
  await using kit = await KafkaKit.start({ hall });
  using client = await kit.client();
  await client.createTopic('t');
  for (let at = 0; at < 8; at++) await client.produce('t', batchOf(['x'.repeat(100_000)]));
  const fetched = async (): Promise<number> => {
    const request = fetchRequest('t', 0, { maxWaitMs: 0, maxBytes: 2 ** 30 });
    const { responses } = await client.call('Fetch', 11, request);
    return responses[0]!.partitions[0]!.records!.length;
  };
  assert.ok((await fetched()) > 400_000);
  const share = new AnswerShare(hall.room, clock, { end: () => undefined });
  share.waiting(3.5 * mib, 0);
  assert.ok((await fetched()) < 200_000, 'one batch, however large it is');
  share.waiting(0, 3.5 * mib);
  assert.ok((await fetched()) > 400_000);
});
