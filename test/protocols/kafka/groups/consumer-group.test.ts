import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ConsumerKit, TestMember, listed } from './consumer-kit.ts';

test('the first member gets everything at once', () => {
  const kit = new ConsumerKit({ t: 3 });
  const a = new TestMember(kit, 'a').join(['t']);
  assert.equal(a.epoch, 1);
  assert.equal(a.told, 't-0 t-1 t-2');
  assert.equal(kit.group.state, 'Stable');
  a.beat();
  assert.equal(a.beat().told, 't-0 t-1 t-2');
  assert.equal(kit.group.epoch, 1);
});

test('a partition is given to another only after its owner has given it back', () => {
  const kit = new ConsumerKit({ t: 4 });
  const a = new TestMember(kit, 'a').join(['t']).beat();
  const b = new TestMember(kit, 'b').join(['t']);
  assert.equal(b.epoch, 2);
  assert.equal(b.told, '', 'a still holds all');
  assert.equal(kit.group.state, 'Reconciling');
  a.beat();
  assert.equal(a.told, 't-0 t-1');
  assert.equal(a.epoch, 1, 'it has not given back yet');
  assert.equal(b.beat().told, '');
  a.beat();
  assert.equal(a.epoch, 2);
  assert.equal(b.beat().told, 't-2 t-3');
  assert.equal(kit.group.state, 'Stable');
});

test('a member that still reports a partition it is to give back stays in its epoch', () => {
  const kit = new ConsumerKit({ t: 2 });
  const a = new TestMember(kit, 'a').join(['t']).beat();
  const b = new TestMember(kit, 'b').join(['t']);
  a.beat();
  assert.equal(a.told, 't-0');
  kit.heartbeat({ memberId: 'a', memberEpoch: 1, topicPartitions: listed(['t-0', 't-1']) });
  assert.equal(b.beat().told, '', 'a has not let go');
  assert.equal(kit.group.members.get('a')!.epoch, 1);
  a.beat();
  assert.equal(b.beat().told, 't-1');
});

test('a member that does not give back within its rebalance timeout is removed', () => {
  const kit = new ConsumerKit({ t: 2 });
  const a = new TestMember(kit, 'a').join(['t'], { rebalanceTimeoutMs: 20_000 }).beat();
  const b = new TestMember(kit, 'b').join(['t']);
  for (let i = 0; i < 4; i++) {
    kit.clock.advance(4999);
    a.beat({ topicPartitions: null });
    b.beat();
  }
  assert.equal(kit.group.members.size, 2);
  b.beat();
  kit.clock.advance(5003);
  assert.equal(kit.group.members.size, 1, 'twenty seconds after it was told');
  assert.equal(kit.refusal({ memberId: 'a', memberEpoch: 1 }), 'UNKNOWN_MEMBER_ID');
  assert.equal(b.beat().told, 't-0 t-1');
});

test('a silent member is out after the session timeout, and its partitions go to others', () => {
  const kit = new ConsumerKit({ t: 2 });
  new TestMember(kit, 'a').join(['t']).beat();
  kit.clock.advance(1);
  const b = new TestMember(kit, 'b').join(['t']);
  kit.clock.advance(44_999);
  assert.deepEqual([...kit.group.members.keys()], ['b']);
  assert.equal(b.beat().told, 't-0 t-1');
  kit.clock.advance(45_000);
  assert.equal(kit.group.state, 'Empty');
  assert.equal(kit.clock.timerCount, 0);
});

test('epochs: a later one is fenced, an earlier one too, but for the last when its answer got lost', () => {
  const kit = new ConsumerKit({ t: 2 });
  const a = new TestMember(kit, 'a').join(['t']).beat();
  assert.equal(kit.refusal({ memberId: 'a', memberEpoch: 2 }), 'FENCED_MEMBER_EPOCH');
  kit.setTopic('t', 3);
  a.beat();
  assert.equal(a.epoch, 2);
  assert.equal(
    kit.refusal({ memberId: 'a', memberEpoch: 1 }),
    'FENCED_MEMBER_EPOCH',
    'it does not say what it holds',
  );
  assert.equal(
    kit.refusal({ memberId: 'a', memberEpoch: 1, topicPartitions: listed(['t-9']) }),
    'FENCED_MEMBER_EPOCH',
  );
  assert.equal(kit.refusal({ memberId: 'a', memberEpoch: 1, topicPartitions: listed(['t-0']) }), 'NONE');
  assert.equal(kit.refusal({ memberId: 'b', memberEpoch: 1 }), 'UNKNOWN_MEMBER_ID');
});

test('topics that grow, appear or go are seen at the next heartbeat', () => {
  const kit = new ConsumerKit({ t: 1 });
  const a = new TestMember(kit, 'a').join(['t', 'u']).beat();
  kit.setTopic('u', 1);
  assert.equal(a.beat().told, 't-0 u-0');
  kit.topics.delete('t');
  kit.group.noteTopicsChanged();
  a.beat();
  assert.equal(a.beat().told, 'u-0');
  const epoch = kit.group.epoch;
  kit.setTopic('other', 5);
  a.beat();
  assert.equal(kit.group.epoch, epoch, 'nobody reads it');
});

test('a subscription by expression follows the topics, and can be taken back', () => {
  const kit = new ConsumerKit({ 'orders.eu': 1, invoices: 1 });
  const a = new TestMember(kit, 'a').join({ regex: 'orders\\..*' }).beat();
  assert.equal(a.told, 'orders.eu-0');
  kit.setTopic('orders.us', 1);
  assert.equal(a.beat().told, 'orders.eu-0 orders.us-0');
  a.beat({ subscribedTopicRegex: '', subscribedTopicNames: ['invoices'] });
  a.beat();
  assert.equal(a.beat().told, 'invoices-0');
  assert.equal(
    kit.refusal({ memberId: 'b', memberEpoch: 0, subscribedTopicRegex: '(' }),
    'INVALID_REGULAR_EXPRESSION',
  );
});

test('the assignor that most members ask for is taken; one that is not known is refused', () => {
  const kit = new ConsumerKit({ t: 4 });
  assert.equal(
    kit.refusal({ memberId: 'x', memberEpoch: 0, serverAssignor: 'sticky' }),
    'UNSUPPORTED_ASSIGNOR',
  );
  const a = new TestMember(kit, 'a').join(['t'], { serverAssignor: 'range' }).beat();
  assert.equal(kit.group.assignor, 'range');
  const b = new TestMember(kit, 'b').join(['t'], { serverAssignor: 'range' });
  a.beat().beat();
  assert.equal(b.beat().told, 't-2 t-3');
});

test('a static member leaves for a while and finds its partitions again, under another member id', () => {
  const kit = new ConsumerKit({ t: 4 });
  const a = new TestMember(kit, 'a', { instanceId: 'one' }).join(['t']).beat();
  const b = new TestMember(kit, 'b', { instanceId: 'two' }).join(['t']);
  a.beat().beat();
  b.beat().beat();
  const { epoch } = kit.group;
  assert.equal(kit.refusal({ memberId: 'c', memberEpoch: 0, instanceId: 'one' }), 'UNRELEASED_INSTANCE_ID');
  assert.equal(a.leave(-2).memberEpoch, -2);
  const c = new TestMember(kit, 'c', { instanceId: 'one' }).join(['t']);
  assert.equal(c.told, 't-0 t-1');
  assert.equal(kit.group.epoch, epoch, 'nothing was shared out anew');
  assert.equal(kit.refusal({ memberId: 'a', memberEpoch: 2, instanceId: 'one' }), 'FENCED_INSTANCE_ID');
  c.leave(-2);
  kit.clock.advance(44_000);
  b.beat();
  kit.clock.advance(1000);
  assert.equal(b.beat().told, 't-0 t-1 t-2 t-3', 'it has been away for its session');
});

test('a member that begins again keeps its place', () => {
  const kit = new ConsumerKit({ t: 2 });
  const a = new TestMember(kit, 'a').join(['t']).beat();
  a.join(['t']);
  assert.equal(a.told, 't-0 t-1');
  assert.equal(kit.group.members.size, 1);
});

test('leaving frees partitions at once', () => {
  const kit = new ConsumerKit({ t: 2 });
  const a = new TestMember(kit, 'a').join(['t']).beat();
  const b = new TestMember(kit, 'b').join(['t']);
  assert.equal(a.leave().memberEpoch, -1);
  assert.equal(b.beat().told, 't-0 t-1');
  assert.equal(kit.group.evict('', 'nobody'), false);
  assert.equal(kit.group.evict('b', null), true);
  assert.equal(kit.group.state, 'Empty');
});

test('commits are for members, in their epoch', () => {
  const kit = new ConsumerKit({ t: 2 });
  const refusal = (memberId: string, epoch: number): number | undefined => {
    try {
      kit.group.checkEpochOf(memberId, epoch);
      return undefined;
    } catch (error) {
      return (error as { code: number }).code;
    }
  };
  assert.equal(refusal('', -1), undefined);
  new TestMember(kit, 'a').join(['t']).beat();
  assert.equal(refusal('', -1), 25);
  assert.equal(refusal('a', 1), undefined);
  assert.equal(refusal('a', 2), 113);
  assert.equal(refusal('b', 1), 25);
});

test('limits: members and topics', () => {
  const kit = new ConsumerKit({ t: 2 }, { membersMax: 1, memberTopicsMax: 2 });
  new TestMember(kit, 'a').join(['t']);
  assert.equal(
    kit.refusal({ memberId: 'b', memberEpoch: 0, subscribedTopicNames: ['t'] }),
    'GROUP_MAX_SIZE_REACHED',
  );
  assert.equal(
    kit.refusal({ memberId: 'a', memberEpoch: 1, subscribedTopicNames: ['a', 'b', 'c'] }),
    'INVALID_REQUEST',
  );
});

test('whatever members do, no partition has two owners, and in the end each has one', () => {
  const action = fc.record({
    who: fc.nat(3),
    what: fc.constantFrom('join', 'join', 'beat', 'beat', 'beat', 'beat', 'leave', 'wait', 'grow'),
    topics: fc.subarray(['t', 'u', 'v'], { minLength: 1 }),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const kit = new ConsumerKit({ t: 3, u: 2, v: 1 });
      const members = Array.from({ length: 4 }, (_, at) => new TestMember(kit, `m${at}`));
      const here = (): TestMember[] => members.filter(({ id }) => kit.group.members.has(id));
      const check = (): void => {
        const owned = here().flatMap((one) => [...one.owned]);
        assert.equal(new Set(owned).size, owned.length, `owned twice: ${owned.join(' ')}`);
      };
      for (const { who, what, topics } of actions) {
        const one = members[who]!;
        const isHere = kit.group.members.has(one.id);
        if (what === 'join' && !isHere) one.join(topics);
        else if (what === 'beat' && isHere) one.beat();
        else if (what === 'leave' && isHere) one.leave();
        else if (what === 'wait') kit.clock.advance(7000);
        else if (what === 'grow') kit.setTopic('t', Math.min(6, kit.topics.get('t')! + 1));
        check();
      }
      const staying = here();
      if (staying.length === 0) return;
      for (let round = 0; round < 20; round++) for (const one of staying) one.beat();
      check();
      assert.equal(kit.group.state, 'Stable');
      const read = new Set(staying.flatMap(({ id }) => [...kit.group.members.get(id)!.topicNames]));
      let expected = 0;
      for (const topic of read) expected += kit.topics.get(topic)!;
      assert.equal(staying.flatMap(({ owned }) => owned).length, expected);
    }),
    { numRuns: 300 },
  );
});
