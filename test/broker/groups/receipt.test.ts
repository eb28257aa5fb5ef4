import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Receipt, type Delivery, type Group, type GroupOptions } from '../../../src/broker/index.ts';
import { readReceipt } from '../../../src/broker/groups/receipt.ts';
import { TestBroker, TestConsumer } from '../kit.ts';

/** A consumer that keeps the receipts of its deliveries. */
class Holder extends TestConsumer {
  readonly receipts: Receipt[] = [];
  readonly deadlines: number[] = [];
  readonly attempts: number[] = [];
  readonly label: string;
  ackWaitMs: number | undefined = undefined;
  readonly #group: Group;

  constructor(group: Group, label: string, credit?: number) {
    super(credit);
    this.#group = group;
    this.group = group;
    this.label = label;
    group.attach(this);
  }

  override receive(delivery: Delivery): void {
    super.receive(delivery);
    this.receipts.push(Receipt.of(this.#group, delivery));
    this.deadlines.push(delivery.deadlineMs);
    this.attempts.push(delivery.attempt);
  }
}

async function withQueue(messages: number, options: Partial<GroupOptions> = {}) {
  const kit = await TestBroker.open();
  const { topic, group } = await kit.broker.defineQueue({ name: 'q' }, { ackWaitMs: 1000, ...options });
  for (let i = 0; i < messages; i++) await topic.send({ value: String(i) });
  return { kit, topic, group };
}

/** The same group after a restart. */
function groupOf(kit: TestBroker): Group {
  return kit.broker.topic('q')!.groups.get('default')!;
}

test('a receipt settles its delivery once, and a stale one nothing', async () => {
  const { kit, group } = await withQueue(1);
  await using _ = kit;
  const a = new Holder(group, 'a', 1);
  await kit.settle();
  const first = a.receipts[0]!;
  assert.ok(first.isCurrent);
  await kit.advance(1000); // its deadline
  const b = new Holder(group, 'b', 1);
  await kit.settle();
  const second = b.receipts[0]!;
  assert.equal(second.delivery, 2);
  assert.equal(first.isCurrent, false);
  assert.equal(first.ack(), false);
  assert.equal(first.nack(), false);
  assert.equal(first.reject(), false);
  assert.equal(first.setDeadline(5), false);
  assert.ok(second.isCurrent, 'a late answer of A leaves the delivery of B alone');
  assert.equal(second.ack(), true);
  assert.equal(second.ack(), false);
});

test('after its deadline a receipt still settles, until the message is delivered again', async () => {
  const { kit, group } = await withQueue(1);
  await using _ = kit;
  const a = new Holder(group, 'a', 1);
  await kit.advance(1000);
  assert.equal(a.receipts[0]!.ack(), true);
});

test('a deadline is moved to any time, earlier and later', async () => {
  const { kit, group } = await withQueue(2);
  await using _ = kit;
  const a = new Holder(group, 'a', 2);
  await kit.settle();
  const nowMs = kit.clock.monotonic();
  assert.deepEqual(a.deadlines, [nowMs + 1000, nowMs + 1000]);
  assert.equal(a.receipts[0]!.setDeadline(5000), true);
  assert.equal(a.receipts[1]!.setDeadline(10), true);
  const b = new Holder(group, 'b');
  await kit.advance(9);
  assert.deepEqual(b.values, []);
  await kit.advance(1);
  assert.deepEqual(b.values, ['1']);
  await kit.advance(4989);
  assert.ok(a.receipts[0]!.isCurrent);
  await kit.advance(1);
  assert.equal(b.values.filter((value) => value === '0').length, 1);
});

test('a consumer brings its own deadline, which stays when the group’s wait changes', async () => {
  const { kit, group } = await withQueue(1);
  await using _ = kit;
  const a = new Holder(group, 'a', 0);
  a.ackWaitMs = 30;
  a.credit = 1;
  group.wake();
  await kit.settle();
  assert.deepEqual(a.deadlines, [kit.clock.monotonic() + 30]);
  await group.update({ ...group.config, ackWaitMs: 5 });
  await kit.advance(29);
  assert.ok(group.info().inFlight === 1 && group.held(a).length === 1);
  await kit.advance(1);
  assert.equal(group.held(a).length, 0);
});

test('a consumer that leaves keeps its messages, or gives them back at once, in order and without a failure', async () => {
  const { kit, group } = await withQueue(4, { maxDeliver: 2 });
  await using _ = kit;
  const a = new Holder(group, 'a', 3);
  await kit.settle();
  assert.deepEqual(
    group.held(a).map(({ offset, delivery }) => [offset, delivery]),
    [
      [0, 1],
      [1, 1],
      [2, 1],
    ],
  );
  a.receipts[1]!.ack();
  group.detach(a, { held: 'release' });
  // Given back nine times more than maxDeliver would allow for failures.
  for (let i = 0; i < 20; i++) {
    const next = new Holder(group, 'next', 2);
    await kit.settle();
    assert.deepEqual(next.values, ['0', '2']);
    assert.equal(next.receipts[0]!.delivery, i + 2);
    group.detach(next, { held: 'release' });
  }
  const keeper = new Holder(group, 'keeper', 1);
  await kit.settle();
  group.detach(keeper);
  const last = new Holder(group, 'last');
  await kit.settle();
  assert.deepEqual(last.values, ['2', '3']);
  assert.equal(keeper.receipts[0]!.ack(), true);
});

test('a release is remembered over a restart: it does not count as a failure afterwards', async () => {
  for (const viaCheckpoint of [false, true]) {
    const { kit, group } = await withQueue(1, { maxDeliver: 2, deadLetter: 'dead' });
    await using _ = kit;
    for (let i = 0; i < 5; i++) {
      const a = new Holder(group, 'a', 1);
      await kit.settle();
      group.detach(a, { held: 'release' });
    }
    await kit.settle();
    if (viaCheckpoint) await kit.broker.checkpoint();
    await kit.restart();
    const again = new Holder(groupOf(kit), 'again', 1);
    await kit.settle();
    assert.equal(again.receipts[0]?.delivery, 6);
    again.receipts[0].nack(0);
    again.credit = 1;
    await kit.settle();
    assert.equal(again.receipts[1]?.delivery, 7);
    again.receipts[1].nack(0);
    await kit.settle();
    assert.equal(kit.broker.topic('dead')?.count, 1, 'the second failure was the last');
  }
});

test('a group lists its consumers with the messages that each holds', async () => {
  const { kit, group } = await withQueue(3);
  await using _ = kit;
  const a = new Holder(group, 'a', 2);
  await kit.settle();
  const deliveredMs = kit.clock.now();
  await kit.advance(5);
  const b = new Holder(group, 'b', 3);
  await kit.settle();
  const shown = (): unknown[] =>
    group.listConsumers().map(({ label, held, heldSinceMs }) => [label, held, heldSinceMs]);
  assert.deepEqual(shown(), [
    ['a', 2, deliveredMs],
    ['b', 1, deliveredMs + 5],
  ]);
  for (const receipt of a.receipts) receipt.ack();
  assert.deepEqual(shown(), [
    ['a', 0, undefined],
    ['b', 1, deliveredMs + 5],
  ]);
  group.detach(b);
  assert.deepEqual(shown(), [['a', 0, undefined]]);
});

test('a receipt is written down and read back, in the same run and in a later one', async () => {
  const { kit, group } = await withQueue(2);
  await using _ = kit;
  const a = new Holder(group, 'a', 2);
  await kit.settle();
  const [first, second] = a.receipts.map((receipt) => kit.broker.writeReceipt(receipt));
  assert.equal(kit.broker.readReceipt(first!)?.ack(), true);
  assert.equal(kit.broker.readReceipt(first!)?.ack(), false);
  await kit.settle();
  await kit.restart();
  const earlier = kit.broker.readReceipt(second!)!;
  assert.ok(earlier.isCurrent, 'not delivered again yet');
  const b = new Holder(groupOf(kit), 'b', 1);
  await kit.settle();
  assert.equal(b.receipts.length, 1);
  assert.equal(earlier.ack(), false);
  assert.equal(b.receipts[0]!.ack(), true);
});

test('a receipt of an earlier run is stale once its message went out in this one, though the count is the same', async () => {
  const { kit, group } = await withQueue(1);
  await using _ = kit;
  const a = new Holder(group, 'a', 1);
  await kit.settle();
  const { partition, offset, delivery } = a.receipts[0]!;
  const ofEarlierRun = new Receipt(group, partition, offset, delivery, false);
  assert.equal(ofEarlierRun.ack(), false);
  assert.equal(a.receipts[0]!.ack(), true);
});

test('a receipt is stale once its group was reset, though deliveries count from 1 again, also after a restart', async () => {
  const { kit, group } = await withQueue(1);
  await using _ = kit;
  const a = new Holder(group, 'a', 1);
  await kit.settle();
  const before = a.receipts[0]!;
  const written = kit.broker.writeReceipt(before);
  await group.reset({ kind: 'all' });
  const b = new Holder(group, 'b', 1);
  await kit.settle();
  assert.equal(b.receipts[0]?.delivery, before.delivery);
  assert.equal(before.ack(), false, 'it is with B');
  assert.equal(kit.broker.readReceipt(written)?.ack(), false);
  const afterReset = kit.broker.writeReceipt(b.receipts[0]);
  await kit.settle();
  await kit.restart();
  assert.equal(kit.broker.readReceipt(written)?.ack(), false, 'nor does a restart make it current');
  assert.equal(kit.broker.readReceipt(afterReset)?.ack(), true);
});

test('a consumer that extends gets its own wait anew, longer or shorter than that of the group', async () => {
  for (const ackWaitMs of [30, 5000]) {
    const { kit, group } = await withQueue(1, { ackWaitMs: 300 });
    await using _ = kit;
    const a = new Holder(group, 'a', 0);
    a.ackWaitMs = ackWaitMs;
    a.credit = 1;
    group.wake();
    await kit.advance(ackWaitMs - 1);
    assert.equal(group.extend(0, 0), true);
    await kit.advance(ackWaitMs - 1);
    assert.equal(group.held(a).length, 1);
    await kit.advance(1);
    assert.equal(group.held(a).length, 0);
  }
});

test('a deadline that was set far away does not outlive an extend', async () => {
  const { kit, group } = await withQueue(1, { ackWaitMs: 50 });
  await using _ = kit;
  const a = new Holder(group, 'a', 1);
  await kit.settle();
  a.receipts[0]!.setDeadline(10_000);
  await kit.advance(60); // past the first deadline: the timer waits for the far one now
  assert.equal(group.extend(0, 0), true);
  await kit.advance(50);
  assert.equal(group.held(a).length, 0);
});

test('text that is not a receipt reads as undefined', () => {
  const none = (): undefined => undefined;
  for (const text of ['', '1.2.3', '1.2.3.4.5.', '1.2.3.4.5.run.6', '-1.0.0.1.0.run', '1.0.0.1.0.run'])
    assert.equal(readReceipt(text, 'run', none), undefined, text);
});

test('a receipt gives back its delivery alone, at once and without a failure', async () => {
  const { kit, group } = await withQueue(2, { maxDeliver: 1, deadLetter: 'dead', backoffMs: [1000] });
  await using _ = kit;
  const a = new Holder(group, 'a', 2);
  await kit.settle();
  assert.equal(a.receipts[0]!.release(), true);
  assert.equal(a.receipts[0]!.release(), false);
  const b = new Holder(group, 'b', 2);
  await kit.settle();
  assert.deepEqual(b.values, ['0']);
  assert.deepEqual(b.attempts, [1], 'the first that counts');
  assert.equal(a.receipts[0]!.ack(), false);
  assert.equal(a.receipts[1]!.ack(), true);
  assert.equal(b.receipts[0]!.ack(), true);
  assert.equal(kit.broker.topic('dead'), undefined);
});

test('a released message is delivered no more once the limit was lowered below its other deliveries', async () => {
  const { kit, group } = await withQueue(1, { deadLetter: 'dead' });
  await using _ = kit;
  const a = new Holder(group, 'a');
  for (let i = 0; i < 2; i++) {
    await kit.settle();
    a.receipts.at(-1)!.nack(0);
  }
  await kit.settle();
  await group.update({ ...group.config, maxDeliver: 2 });
  group.detach(a, { held: 'release' });
  await kit.settle();
  assert.equal(kit.broker.topic('dead')?.count, 1);
});
