import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../../src/server/log.ts';
import { HistoryRecorder, brokerKey } from '../../../src/server/history/index.ts';
import { SyncTimes } from '../../../src/server/sync-times.ts';
import { TestBroker } from '../../broker/kit.ts';

const options = { stepMs: 1000, seriesMax: 100, directory: undefined, log: silentLog };

/** A recorder over 3 topics of 4 groups, with a message in each. */
async function openRecorder(): Promise<{ kit: TestBroker; recorder: HistoryRecorder }> {
  const kit = await TestBroker.open();
  for (const name of ['a', 'b', 'c']) {
    const topic = await kit.broker.createTopic({ name });
    for (let at = 0; at < 4; at++) await topic.createGroup({ name: `g${at}` });
    await topic.send({ value: 'x' });
  }
  return { kit, recorder: new HistoryRecorder(kit.broker, new SyncTimes(), options) };
}

test('a sample takes turns between any two groups', async () => {
  const { kit, recorder } = await openRecorder();
  await using _ = kit;
  let turns = 0;
  const rest = (): Promise<void> => {
    turns++;
    return Promise.resolve();
  };
  await recorder.sample(1000, { closed: false, rest });
  assert.equal(turns, 3 * 4 + 3);
  assert.deepEqual(recorder.history.of(brokerKey)?.fine.read('level', 1000, 1), [3]);
});

test('a sample ends with its taker', async () => {
  const { kit, recorder } = await openRecorder();
  await using _ = kit;
  const taker = { closed: false, rest: () => Promise.resolve(void (taker.closed = true)) };
  await recorder.sample(1000, taker);
  assert.deepEqual(
    [...recorder.history.all()].map(({ key }) => [key.topic, key.group]),
    [['a', 'g0']],
  );
});
