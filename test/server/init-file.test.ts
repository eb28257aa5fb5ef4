import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { applyInitFile } from '../../src/server/admin/index.ts';
import { silentLog, startServer } from '../../src/server/index.ts';
import { makeTemporaryDirectory } from '../support/index.ts';
import { protocolsOff } from '../support/ports.ts';

const given = `
[[topics]]
name = "orders"
subjects = ["orders.>"]
retention = "queue"
[[topics.groups]]
name = "billing"
ackWaitMs = 5000
start = { kind = "new" }
[[topics]]
name = "audit"
[[queues]]
name = "jobs"
priorities = 3
group = { maxDeliver = 5 }
`;

test('an init file makes topics and groups, changes those that differ, and refuses contradictions', async () => {
  await using directory = await makeTemporaryDirectory();
  const init = join(directory.path, 'topics.toml');
  await writeFile(init, given);
  await using server = await startServer({ ...protocolsOff, adminPort: 0, storage: 'memory', init });
  const { broker } = server;
  const orders = broker.topic('orders')!;
  assert.deepEqual([orders.config.retention, orders.config.keyState], ['queue', true]);
  assert.equal(orders.groups.get('billing')!.config.ackWaitMs, 5000);
  assert.ok(broker.topic('audit'));
  const jobs = broker.topic('jobs')!;
  assert.deepEqual([jobs.config.retention, jobs.config.priorities], ['queue', 3]);
  assert.equal(jobs.groups.get('default')!.config.maxDeliver, 5);

  const said: string[] = [];
  const log = { ...silentLog, info: (message: string) => void said.push(message) };
  const apply = async (text: string): Promise<string[]> => {
    await writeFile(init, text);
    said.length = 0;
    await applyInitFile(broker, init, log);
    return said;
  };
  assert.deepEqual(await apply(given), ['init: everything was there already']);
  const changed = given.replace('5000', '9000').replace('"queue"', '"queue"\nmessagesMax = 7');
  assert.deepEqual(await apply(changed), [
    'init: topic "orders" was changed: messagesMax',
    'init: group "billing" of topic "orders" was changed: ackWaitMs',
  ]);
  assert.equal(orders.config.messagesMax, 7);
  // What the file does not name stays.
  assert.deepEqual(await apply('[[topics]]\nname = "orders"'), ['init: everything was there already']);

  const refused = async (text: string, says: RegExp): Promise<void> => {
    await assert.rejects(apply(`[[topics]]\nname = "not-made"\n${text}`), {
      code: 'configuration-invalid',
      message: says,
    });
    assert.equal(broker.topic('not-made'), undefined);
  };
  await refused(
    '[[topics]]\nname = "orders"\ndurability = "memory"',
    /"orders" has durability "disk" for life/,
  );
  await refused(
    '[[topics]]\nname = "orders"\n[[topics.groups]]\nname = "billing"\nordering = "key"',
    /has ordering "none" for life, and the file says "key"/,
  );
  await refused('[[topics]]\nname = "orders"\nkeyState = false', /keeps it for life/);
  await refused('[[topics]]\nname = "x"\nretentoin = "queue"', /unknown field "retentoin"/);
  await refused('[[topics', /is not valid/);
});
