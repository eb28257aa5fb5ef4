/** The rest of a delivery's wait outlives the broker. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readGroupChanged } from '../../../src/broker/entries.ts';
import type { Group, GroupOptions, Topic } from '../../../src/broker/index.ts';
import { ByteWriter } from '../../../src/util/index.ts';
import { TestBroker, TestConsumer } from '../kit.ts';

type Death = 'stop' | 'kill';

class Kit {
  readonly broker: TestBroker;

  constructor(broker: TestBroker) {
    this.broker = broker;
  }

  /** A group with a message in flight. */
  static async open(options: Partial<GroupOptions> = {}, consumer = new TestConsumer()): Promise<Kit> {
    const kit = new Kit(await TestBroker.open());
    const jobs = await kit.broker.broker.createTopic({ name: 'jobs' });
    const workers = await jobs.createGroup({
      name: 'workers',
      ackWaitMs: 1000,
      redeliverAfterRestart: 'at-deadline',
      ...options,
    });
    await jobs.send({ value: 'm' });
    await kit.broker.settle();
    workers.attach(consumer);
    await kit.broker.settle();
    assert.deepEqual(consumer.values, ['m']);
    return kit;
  }

  get topic(): Topic {
    return this.broker.broker.topic('jobs')!;
  }

  get group(): Group {
    return this.topic.groups.get('workers')!;
  }

  /** The broker ends and starts again, after so long; meanwhile the wall clock may be set. */
  async restart(death: Death, downMs: number = 0, jumpMs: number = 0): Promise<void> {
    const kit = this.broker;
    await kit.advance(25); // by now the change is on disk, as without any other traffic
    if (death === 'kill') kit.files = kit.files.copy();
    const next = kit.files;
    await kit.broker.close();
    kit.files = next;
    kit.clock.advance(downMs);
    kit.clock.jump(jumpMs);
    await kit.start();
  }

  /** After how many milliseconds the message goes out again, looked at in steps. */
  async goesOutAfter(stepMs: number = 25): Promise<number> {
    const consumer = new TestConsumer();
    this.group.attach(consumer);
    await this.broker.advance(0);
    for (let passedMs = 0; passedMs < 20_000; passedMs += stepMs) {
      if (consumer.got.length > 0) return passedMs;
      await this.broker.advance(stepMs);
    }
    return Infinity;
  }
}

for (const death of ['stop', 'kill'] as const)
  describe(`after a ${death}`, () => {
    test('a delivery goes out again after the rest of its wait', async () => {
      const kit = await Kit.open();
      await using _ = kit.broker;
      await kit.restart(death, 300);
      assert.equal(await kit.goesOutAfter(), 1000 - 25 - 300);
    });

    test('one whose wait has passed goes out at once', async () => {
      const kit = await Kit.open();
      await using _ = kit.broker;
      await kit.restart(death, 5000);
      assert.equal(await kit.goesOutAfter(), 0);
    });

    test('the rest is kept over several restarts, and by the checkpoints between', async () => {
      const kit = await Kit.open();
      await using _ = kit.broker;
      for (let i = 0; i < 3; i++) await kit.restart(death, 200);
      assert.equal(await kit.goesOutAfter(), 1000 - 3 * 225);
    });

    test('an extended deadline, one that was set, and the consumer’s own count', async () => {
      const moves: readonly [number, (group: Group) => boolean][] = [
        [1000, (group) => group.extend(0, 0)],
        [4000, (group) => group.setDeadline(0, 0, 4000)],
        [200, (group) => group.setDeadline(0, 0, 200)],
      ];
      for (const [waitMs, move] of moves) {
        const kit = await Kit.open();
        await using _ = kit.broker;
        await kit.broker.advance(500);
        assert.ok(move(kit.group));
        await kit.restart(death, 100);
        assert.equal(await kit.goesOutAfter(), waitMs - 125);
      }
      const kit = await Kit.open({}, Object.assign(new TestConsumer(), { ackWaitMs: 3000 }));
      await using _ = kit.broker;
      await kit.restart(death, 100);
      assert.equal(await kit.goesOutAfter(), 3000 - 125);
    });

    test('a nack’s delay counts', async () => {
      const kit = await Kit.open();
      await using _ = kit.broker;
      assert.ok(kit.group.nack(0, 0, 5000));
      await kit.restart(death, 1000);
      assert.equal(await kit.goesOutAfter(), 5000 - 1025);
    });

    test('the last delivery of any group may be answered for the rest of its wait, and is given up then', async () => {
      const kit = await Kit.open({ redeliverAfterRestart: 'at-once', maxDeliver: 1, deadLetter: 'dead' });
      await using _ = kit.broker;
      await kit.restart(death, 300);
      await kit.broker.advance(650);
      assert.equal(kit.broker.broker.topic('dead'), undefined);
      await kit.broker.advance(25);
      assert.equal(kit.broker.broker.topic('dead')?.count, 1);
    });

    test('a group’s wait that changes after the restart holds from when the delivery was made', async () => {
      const kit = await Kit.open();
      await using _ = kit.broker;
      await kit.restart(death, 100);
      await kit.group.update({ ...kit.group.config, ackWaitMs: 2000 });
      assert.equal(await kit.goesOutAfter(), 2000 - 125);
    });

    test('no wait is longer than it was, wherever the wall clock was set meanwhile', async () => {
      for (const [jumpMs, leftMs] of [
        [-3_600_000, 1000],
        [3_600_000, 0],
      ] as const) {
        const kit = await Kit.open();
        await using _ = kit.broker;
        await kit.restart(death, 0, jumpMs);
        assert.equal(await kit.goesOutAfter(), leftMs);
      }
    });
  });

test('an entry of an older program says nothing of deadlines: the whole wait begins anew', () => {
  // partition, cursor, sequence, backfill, lag; one run of one that entered, none done, no other deliveries
  const older = new ByteWriter();
  for (const number of [0, 1, 1, 0, 0, 1]) older.uvarint(number);
  older.varint(0).uvarint(1).uvarint(0).uvarint(0);
  const entry = readGroupChanged(older.copy());
  assert.deepEqual(
    [entry.pending, entry.released, entry.writtenMs, entry.left],
    [[[0, 1]], [], undefined, []],
  );
});
