import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClassicKit } from './classic-kit.ts';

const offer = (...names: string[]): { name: string; metadata: Buffer }[] =>
  names.map((name) => ({ name, metadata: Buffer.from(`${name} of me`) }));

test('a member without an id gets one and asks again; alone it leads at once, without a delay', () => {
  const kit = new ClassicKit();
  const first = kit.join();
  assert.equal(first.error, 'MEMBER_ID_REQUIRED');
  assert.match(first.value.memberId, /^client-/);
  const joined = kit.join({ memberId: first.value.memberId });
  assert.equal(joined.error, 'NONE');
  assert.equal(joined.value.generationId, 1);
  assert.equal(joined.value.leader, first.value.memberId);
  assert.deepEqual(
    joined.value.members.map(({ memberId, metadata }) => [memberId, metadata.toString()]),
    [[first.value.memberId, 'm']],
  );
  assert.equal(kit.group.state, 'CompletingRebalance');
  const synced = kit.sync(first.value.memberId, { [first.value.memberId]: 'all of it' });
  assert.equal(synced.value.assignment.toString(), 'all of it');
  assert.equal(kit.group.state, 'Stable');
  assert.equal(kit.heartbeat(first.value.memberId), 'NONE');
});

test('a client from before version 4 is taken without an id', () => {
  const kit = new ClassicKit();
  assert.equal(kit.join({ requiresKnownId: false }).error, 'NONE');
});

test('a newcomer makes all others join again; only the leader gets the members', () => {
  const kit = new ClassicKit();
  const [a] = kit.stable(1);
  const b = kit.enter();
  assert.equal(b.isWaiting, true);
  assert.equal(kit.heartbeat(a!), 'REBALANCE_IN_PROGRESS');
  assert.equal(kit.sync(a!).error, 'REBALANCE_IN_PROGRESS');
  assert.equal(kit.commit(a!), 'NONE', 'what was read before may still be committed');
  const again = kit.join({ memberId: a! });
  assert.equal(again.value.generationId, 2);
  assert.equal(again.value.leader, a);
  assert.deepEqual(again.value.members.map(({ memberId }) => memberId).sort(), [a!, b.id].sort());
  assert.equal(b.value.leader, a);
  assert.deepEqual(b.value.members, []);
  assert.equal(kit.commit(a!), 'REBALANCE_IN_PROGRESS');
  const waiting = kit.sync(b.id);
  assert.equal(waiting.isWaiting, true);
  kit.sync(a!, { [a!]: 'one', [b.id]: 'other' });
  assert.equal(waiting.value.assignment.toString(), 'other');
  assert.equal(kit.commit(a!), 'NONE');
  assert.equal(kit.commit(a!, 1), 'ILLEGAL_GENERATION');
  assert.equal(kit.heartbeat(b.id, 1), 'ILLEGAL_GENERATION');
  assert.equal(kit.sync(b.id, {}, 1).error, 'ILLEGAL_GENERATION');
});

test('a member that does not join again before the rebalance timeout is left out', () => {
  const kit = new ClassicKit();
  const [a, b] = kit.stable(2, { rebalanceTimeoutMs: 20_000, sessionTimeoutMs: 60_000 });
  const c = kit.enter({ rebalanceTimeoutMs: 5000, sessionTimeoutMs: 60_000 });
  kit.join({ memberId: a!, rebalanceTimeoutMs: 20_000, sessionTimeoutMs: 60_000 });
  kit.clock.advance(19_999);
  assert.equal(c.isWaiting, true, 'the longest timeout of all counts');
  kit.clock.advance(1);
  assert.equal(c.value.generationId, kit.group.generation);
  assert.equal(kit.group.members.size, 2);
  assert.equal(kit.heartbeat(b!), 'UNKNOWN_MEMBER_ID');
});

test('a leader that stays away hands the lead to a present member', () => {
  const kit = new ClassicKit();
  const [a, b] = kit.stable(2, { sessionTimeoutMs: 300_000 });
  const rejoined = kit.join({ memberId: b!, protocols: offer('range'), sessionTimeoutMs: 300_000 });
  kit.clock.advance(60_000);
  assert.equal(rejoined.value.leader, b);
  assert.deepEqual(
    rejoined.value.members.map(({ memberId }) => memberId),
    [b],
  );
  assert.equal(kit.heartbeat(a!), 'UNKNOWN_MEMBER_ID');
});

test('a member that does not sync before the rebalance timeout is removed, and the rest share anew', () => {
  const kit = new ClassicKit();
  const [a, b] = kit.stable(2, { sessionTimeoutMs: 300_000 });
  kit.join({ memberId: a!, sessionTimeoutMs: 300_000 });
  kit.join({ memberId: b!, sessionTimeoutMs: 300_000 });
  assert.equal(kit.group.state, 'CompletingRebalance');
  kit.sync(a!, { [a!]: 'all' });
  assert.equal(kit.group.state, 'Stable');
  kit.clock.advance(59_999);
  assert.equal(kit.group.members.size, 2);
  kit.clock.advance(1);
  assert.deepEqual([...kit.group.members.keys()], [a]);
  assert.equal(kit.heartbeat(a!), 'REBALANCE_IN_PROGRESS');
});

test('a silent member is gone after its session timeout; heartbeats and commits keep it', () => {
  const kit = new ClassicKit();
  const [a, b] = kit.stable(2);
  for (let i = 0; i < 5; i++) {
    kit.clock.advance(6000);
    assert.equal(kit.heartbeat(a!), 'NONE');
    assert.equal(kit.commit(b!), 'NONE');
  }
  kit.clock.advance(9999);
  assert.equal(kit.heartbeat(a!), 'NONE');
  kit.clock.advance(1);
  assert.deepEqual([...kit.group.members.keys()], [a]);
  assert.equal(kit.commit(b!), 'UNKNOWN_MEMBER_ID');
  assert.equal(kit.heartbeat(a!), 'REBALANCE_IN_PROGRESS');
  kit.clock.advance(10_000);
  assert.equal(kit.group.state, 'Empty');
  assert.equal(kit.group.isForgettable, true);
  assert.equal(kit.clock.timerCount, 0);
});

test('an id that was given out is waited for, but not longer than its session', () => {
  const kit = new ClassicKit();
  const [a] = kit.stable(1);
  const { memberId } = kit.join().value;
  const again = kit.join({ memberId: a! });
  assert.equal(again.isWaiting, true, 'the newcomer is about to come');
  kit.heartbeat(a!);
  kit.clock.advance(10_000);
  assert.equal(again.error, 'NONE');
  assert.equal(kit.join({ memberId }).error, 'UNKNOWN_MEMBER_ID');
});

test('leaving frees the place at once; the last to leave empties the group', () => {
  const kit = new ClassicKit();
  const [a, b] = kit.stable(2);
  assert.equal(kit.leave('nobody'), 'UNKNOWN_MEMBER_ID');
  assert.equal(kit.leave(b!), 'NONE');
  assert.equal(kit.heartbeat(a!), 'REBALANCE_IN_PROGRESS');
  assert.equal(kit.join({ memberId: a! }).value.members.length, 1);
  assert.equal(kit.leave(a!), 'NONE');
  assert.equal(kit.group.state, 'Empty');
  assert.equal(kit.heartbeat(a!), 'UNKNOWN_MEMBER_ID');
});

test('a member that leaves while others wait for it lets them go on', () => {
  const kit = new ClassicKit();
  const [a, b] = kit.stable(2);
  const again = kit.join({ memberId: a! });
  assert.equal(again.isWaiting, true);
  kit.leave(b!);
  assert.equal(again.value.members.length, 1);
});

test('the protocol is one that all know, and of these the one that most prefer', () => {
  const kit = new ClassicKit({ initialRebalanceDelayMs: 1000 });
  const a = kit.enter({ protocols: offer('x', 'range', 'sticky') });
  kit.enter({ protocols: offer('sticky', 'range') });
  kit.enter({ protocols: offer('y', 'sticky', 'range') });
  kit.clock.advance(5000);
  assert.equal(a.value.protocolName, 'sticky');
  assert.equal(a.value.members[0]!.metadata.toString(), 'sticky of me');
  assert.equal(kit.enter({ protocols: offer('x') }).error, 'INCONSISTENT_GROUP_PROTOCOL');
  assert.equal(kit.join({ protocolType: 'connect' }).error, 'INCONSISTENT_GROUP_PROTOCOL');
  assert.equal(kit.join({ protocols: [] }).error, 'INCONSISTENT_GROUP_PROTOCOL');
});

test('a follower that joins again with the same offer gets the current state; with another one it causes a rebalance', () => {
  const kit = new ClassicKit();
  const [a, b] = kit.stable(2);
  const same = kit.join({ memberId: b! });
  assert.equal(same.value.generationId, kit.group.generation);
  assert.equal(kit.group.state, 'Stable');
  const other = kit.join({
    memberId: b!,
    protocols: [{ name: 'range', metadata: Buffer.from('other topics') }],
  });
  assert.equal(other.isWaiting, true);
  assert.equal(kit.heartbeat(a!), 'REBALANCE_IN_PROGRESS');
});

test('a leader that joins again calls a rebalance: it has seen something', () => {
  const kit = new ClassicKit();
  const [a, b] = kit.stable(2);
  assert.equal(kit.join({ memberId: a! }).isWaiting, true);
  assert.equal(kit.heartbeat(b!), 'REBALANCE_IN_PROGRESS');
});

test('a member that missed the answer to its join gets it again', () => {
  const kit = new ClassicKit();
  const [a, b] = kit.stable(2);
  kit.join({ memberId: a! });
  kit.join({ memberId: b! });
  assert.equal(kit.group.state, 'CompletingRebalance');
  const again = kit.join({ memberId: a! });
  assert.equal(again.value.members.length, 2);
  assert.equal(kit.group.state, 'CompletingRebalance');
});

test('a rebalance during the sync sends waiting members back to join', () => {
  const kit = new ClassicKit();
  const [a, b] = kit.stable(2);
  kit.join({ memberId: a! });
  kit.join({ memberId: b! });
  const waiting = kit.sync(b!);
  kit.enter();
  assert.equal(waiting.error, 'REBALANCE_IN_PROGRESS');
});

test('cooperative: members keep their partitions, and a second generation assigns those that the first freed', () => {
  const kit = new ClassicKit();
  const owning = (topics: string): { name: string; metadata: Buffer }[] => [
    { name: 'cooperative-sticky', metadata: Buffer.from(topics) },
  ];
  const a = kit.enter({ protocols: owning('') });
  kit.sync(a.id, { [a.id]: 't-0 t-1' });
  const b = kit.enter({ protocols: owning('') });
  const again = kit.join({ memberId: a.id, protocols: owning('t-0 t-1') });
  const leader = again.value.members.length > 0 ? a.id : b.id;
  assert.equal(leader, a.id);
  const second = kit.sync(b.id);
  assert.equal(kit.sync(a.id, { [a.id]: 't-0', [b.id]: '' }).value.assignment.toString(), 't-0');
  assert.equal(second.value.assignment.length, 0);
  // It has given t-1 back and says so: its offer is another one.
  const third = kit.join({ memberId: a.id, protocols: owning('t-0') });
  assert.equal(kit.heartbeat(b.id), 'REBALANCE_IN_PROGRESS');
  const fourth = kit.join({ memberId: b.id, protocols: owning('') });
  assert.equal(third.value.members.find(({ memberId }) => memberId === a.id)!.metadata.toString(), 't-0');
  const last = kit.sync(b.id);
  kit.sync(a.id, { [a.id]: 't-0', [b.id]: 't-1' });
  assert.equal(last.value.assignment.toString(), 't-1');
  assert.equal(fourth.value.generationId, 3);
});

test('the first generation of an empty group can be delayed, each newcomer lengthens it, to the rebalance timeout at most', () => {
  const kit = new ClassicKit({ initialRebalanceDelayMs: 3000 });
  const a = kit.enter({ rebalanceTimeoutMs: 7000 });
  kit.clock.advance(2000);
  const b = kit.enter({ rebalanceTimeoutMs: 7000 });
  kit.clock.advance(2000);
  assert.equal(a.isWaiting, true);
  kit.enter({ rebalanceTimeoutMs: 7000 });
  kit.clock.advance(2500);
  kit.enter({ rebalanceTimeoutMs: 7000 });
  assert.equal(a.isWaiting, true);
  kit.clock.advance(500);
  assert.equal(a.value.members.length, 4);
  assert.equal(b.value.generationId, 1);
});

test('a static member that comes back has its place without a rebalance, and its former self is fenced', () => {
  const kit = new ClassicKit();
  const a = kit.join({ groupInstanceId: 'one' });
  const b = kit.join({ groupInstanceId: 'two' });
  const first = a.value.memberId;
  kit.join({ groupInstanceId: 'one', memberId: first });
  const second = b.value.memberId;
  kit.sync(second, {}, 2, 'two');
  kit.sync(first, { [first]: 'x', [second]: 'y' }, 2, 'one');
  assert.equal(kit.group.state, 'Stable');
  const back = kit.join({ groupInstanceId: 'two' });
  assert.equal(back.error, 'NONE');
  assert.notEqual(back.value.memberId, second);
  assert.equal(back.value.generationId, 2);
  assert.equal(back.value.skipAssignment, false);
  assert.equal(kit.group.state, 'Stable');
  assert.equal(kit.sync(back.value.memberId, {}, 2, 'two').value.assignment.toString(), 'y');
  assert.equal(kit.heartbeat(second, 2, 'two'), 'FENCED_INSTANCE_ID');
  assert.equal(kit.commit(second, 2, 'two'), 'FENCED_INSTANCE_ID');
  assert.equal(kit.sync(second, {}, 2, 'two').error, 'FENCED_INSTANCE_ID');
  assert.equal(kit.join({ groupInstanceId: 'two', memberId: second }).error, 'FENCED_INSTANCE_ID');
  assert.equal(kit.leave(second, 'two'), 'FENCED_INSTANCE_ID');
  assert.equal(kit.heartbeat(back.value.memberId, 2, 'two'), 'NONE');
});

test('a static leader that comes back is told to skip the assignment; an older client is not told that it leads', () => {
  for (const maySkipAssignment of [true, false]) {
    const kit = new ClassicKit();
    const a = kit.join({ groupInstanceId: 'one' }).value.memberId;
    kit.sync(a, { [a]: 'all' }, 1, 'one');
    const back = kit.join({ groupInstanceId: 'one', maySkipAssignment }).value;
    assert.equal(back.skipAssignment, maySkipAssignment);
    assert.equal(back.leader === back.memberId, maySkipAssignment);
    assert.equal(back.members.length, maySkipAssignment ? 1 : 0);
    assert.equal(kit.sync(back.memberId, {}, 1, 'one').value.assignment.toString(), 'all');
  }
});

test('a static member that comes back with another offer calls a rebalance', () => {
  const kit = new ClassicKit();
  const a = kit.join({ groupInstanceId: 'one', protocols: offer('range') }).value.memberId;
  kit.sync(a, { [a]: 'all' }, 1, 'one');
  const back = kit.join({ groupInstanceId: 'one', protocols: offer('sticky') });
  assert.equal(back.value.generationId, 2);
  assert.equal(back.value.protocolName, 'sticky');
});

test('a static member keeps its place through a rebalance it misses, until its session ends', () => {
  const kit = new ClassicKit();
  const a = kit.join({ groupInstanceId: 'one', sessionTimeoutMs: 120_000 }).value.memberId;
  kit.sync(a, { [a]: 'all' }, 1, 'one');
  const b = kit.enter({ sessionTimeoutMs: 120_000 });
  kit.clock.advance(60_000);
  assert.equal(b.error, 'NONE', 'the join phase is over');
  assert.equal(kit.group.members.size, 2);
  assert.equal(b.value.leader, b.id);
  assert.equal(b.value.members.length, 2);
  kit.sync(b.id, { [b.id]: 'b', [a]: 'a' });
  kit.clock.advance(59_999);
  kit.heartbeat(b.id);
  assert.equal(kit.group.members.size, 2);
  kit.clock.advance(1);
  assert.equal(kit.group.members.size, 1);
});

test('an operator removes a static member by its instance id alone', () => {
  const kit = new ClassicKit();
  kit.join({ groupInstanceId: 'one' });
  assert.equal(kit.leave('', 'two'), 'UNKNOWN_MEMBER_ID');
  assert.equal(kit.leave('', 'one'), 'NONE');
  assert.equal(kit.group.members.size, 0);
});

test('without members any client commits with generation -1; with members only they do', () => {
  const kit = new ClassicKit();
  assert.equal(kit.commit('', -1), 'NONE');
  const [a] = kit.stable(1);
  assert.equal(kit.commit('', -1), 'UNKNOWN_MEMBER_ID');
  assert.equal(kit.commit('nobody', 1), 'UNKNOWN_MEMBER_ID');
  assert.equal(kit.commit(a!), 'NONE');
});

test('limits: members, ids given out included, bytes of one member and of all', () => {
  const kit = new ClassicKit({ membersMax: 2, memberMetadataBytesMax: 100, groupMetadataBytesMax: 150 });
  const large = [{ name: 'range', metadata: Buffer.alloc(96) }];
  assert.equal(kit.join({ protocols: large }).error, 'INVALID_REQUEST');
  const big = [{ name: 'range', metadata: Buffer.alloc(90) }];
  kit.enter({ protocols: big });
  assert.equal(kit.join({ protocols: big }).error, 'GROUP_MAX_SIZE_REACHED');
  assert.equal(kit.join().error, 'MEMBER_ID_REQUIRED');
  assert.equal(kit.join().error, 'GROUP_MAX_SIZE_REACHED');
  const [id] = kit.group.members.keys();
  assert.equal(kit.join({ memberId: id! }).isWaiting, true, 'who is in stays in');
});

test('the request’s bytes are copied: its frame is used for other things', () => {
  const kit = new ClassicKit();
  const metadata = Buffer.from('mine');
  const joined = kit.enter({ protocols: [{ name: 'range', metadata }] });
  metadata.fill(0);
  assert.equal(kit.group.members.get(joined.id)!.metadataOf('range').toString(), 'mine');
});

test('a new member whose generation never comes is forgotten after five minutes', () => {
  const kit = new ClassicKit({ newMemberJoinTimeoutMs: 5000 });
  const [a] = kit.stable(1, { rebalanceTimeoutMs: 3_600_000, sessionTimeoutMs: 1_000_000 });
  const b = kit.enter({ rebalanceTimeoutMs: 3_600_000 });
  kit.clock.advance(5000);
  assert.equal(b.error, 'UNKNOWN_MEMBER_ID');
  assert.deepEqual([...kit.group.members.keys()], [a]);
});

test('members that wait when the broker closes are told to find it again', () => {
  const kit = new ClassicKit();
  kit.stable(1);
  const b = kit.enter();
  kit.group.close();
  assert.equal(b.error, 'COORDINATOR_NOT_AVAILABLE');
  assert.equal(kit.clock.timerCount, 0);
  assert.equal(kit.join().error, 'COORDINATOR_NOT_AVAILABLE');
});
