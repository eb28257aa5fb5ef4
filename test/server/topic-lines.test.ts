import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../src/server/index.ts';
import { logTopics } from '../../src/server/topic-lines.ts';
import { TestBroker } from '../broker/kit.ts';

test('topics that come and go have a line each, a hundred in a minute', async () => {
  const t = await TestBroker.open();
  const lines: string[] = [];
  logTopics(t.broker, {
    ...silentLog,
    info: (message, fields) => void lines.push(`${message} ${String(fields?.['topic'])}`),
  });
  await (await t.broker.createTopic({ name: 'one' })).delete();
  assert.deepEqual(lines, ['a topic was created one', 'a topic was deleted one']);
  await Promise.all(Array.from({ length: 120 }, (_, n) => t.broker.createTopic({ name: `t${n}` })));
  assert.equal(lines.length, 101);
  assert.match(lines[100]!, /^more than 100 topics came or went/);
  t.clock.advance(60_000);
  await t.broker.createTopic({ name: 'later' });
  assert.equal(lines[101], 'a topic was created later');
  await t.broker.close();
});
