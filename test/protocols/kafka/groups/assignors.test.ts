import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  countOf,
  each,
  fromList,
  has,
  noPartitions,
  toList,
  type Assignment,
} from '../../../../src/protocols/kafka/groups/consumer/assignment.ts';
import {
  range,
  uniform,
  type AssignorMember,
} from '../../../../src/protocols/kafka/groups/consumer/assignors.ts';

const member = (
  id: string,
  topics: readonly string[],
  target: Assignment = noPartitions,
): AssignorMember => ({
  id,
  instanceId: null,
  topics: new Set(topics),
  target,
});

const shares = (assignment: ReadonlyMap<string, Assignment>): { [id: string]: string } =>
  Object.fromEntries(
    [...assignment].map(([id, share]) => [
      id,
      toList(share)
        .map(({ topicId, partitions }) => `${topicId}:${partitions.join('')}`)
        .sort()
        .join(' '),
    ]),
  );

test('range gives consecutive partitions of each topic, side by side', () => {
  const topics = new Map([
    ['t', 5],
    ['u', 4],
  ]);
  assert.deepEqual(shares(range([member('b', ['t', 'u']), member('a', ['t', 'u'])], topics)), {
    b: 't:34 u:23',
    a: 't:012 u:01',
  });
});

test("uniform keeps the members' partitions when one more comes, and gives it its part", () => {
  const topics = new Map([['t', 6]]);
  const before = uniform([member('a', ['t']), member('b', ['t'])], topics);
  assert.deepEqual(shares(before), { a: 't:024', b: 't:135' });
  const after = uniform(
    [member('a', ['t'], before.get('a')), member('b', ['t'], before.get('b')), member('c', ['t'])],
    topics,
  );
  assert.deepEqual(shares(after), { a: 't:02', b: 't:13', c: 't:45' });
});

test('uniform levels members that read different topics', () => {
  const topics = new Map([
    ['t', 4],
    ['u', 4],
  ]);
  const got = uniform([member('a', ['t']), member('b', ['t', 'u']), member('c', ['t', 'u'])], topics);
  assert.deepEqual(
    [...got.values()].map(countOf).sort((a, b) => a - b),
    [2, 3, 3],
  );
});

const names = ['t', 'u', 'v'] as const;
const groups = fc.record({
  partitions: fc.array(fc.nat(7), { minLength: 3, maxLength: 3 }),
  members: fc.array(
    fc.record({
      topics: fc.subarray([...names]),
      had: fc.array(fc.tuple(fc.nat(2), fc.nat(7)), { maxLength: 6 }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});

for (const [name, assignor] of Object.entries({ uniform, range })) {
  test(`${name}: every partition that somebody reads has one owner, who reads it; parts are level`, () => {
    fc.assert(
      fc.property(groups, fc.boolean(), ({ partitions, members }, alike) => {
        const topics = new Map(names.map((topic, at) => [topic as string, partitions[at]!]));
        const asked = members.map(({ topics: own, had }, at) =>
          member(
            `m${at}`,
            alike ? names : own,
            fromList(had.map(([topic, partition]) => ({ topicId: names[topic]!, partitions: [partition] }))),
          ),
        );
        const got = assignor(asked, topics);
        for (const [topic, count] of topics) {
          const readers = asked.filter(({ topics: own }) => own.has(topic));
          for (let partition = 0; partition < count; partition++) {
            const owners = [...got].filter(([, share]) => has(share, topic, partition)).map(([id]) => id);
            assert.equal(owners.length, readers.length > 0 ? 1 : 0);
            if (owners.length > 0) assert.ok(readers.some(({ id }) => id === owners[0]));
          }
        }
        for (const share of got.values())
          for (const [topic, partition] of each(share)) assert.ok(partition < topics.get(topic)!);
        if (!alike || name !== 'uniform') return;
        const loads = [...got.values()].map(countOf);
        assert.ok(Math.max(...loads) - Math.min(...loads) <= 1);
        // Nothing moves without a reason.
        const again = uniform(
          asked.map((one) => ({ ...one, target: got.get(one.id)! })),
          topics,
        );
        assert.deepEqual(shares(again), shares(got));
      }),
      { numRuns: 300 },
    );
  });
}

test('ten thousand partitions and a thousand members are shared out in a moment', () => {
  const members = Array.from({ length: 1000 }, (_, at) => member(`m${at}`, ['t']));
  const got = uniform(members, new Map([['t', 10_000]]));
  assert.ok([...got.values()].every((share) => countOf(share) === 10));
});
