/**
 * rabbitmqadmin, the command line of RabbitMQ's management API, against ours. RABBITMQADMIN is its path;
 * Debian's package of RabbitMQ has it.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { makeTemporaryDirectory, useServer } from '../../support/index.ts';

const program = process.env['RABBITMQADMIN'] ?? '';
const skip = program === '' ? 'RABBITMQADMIN is not set' : false;
const run = promisify(execFile);

describe('rabbitmqadmin', { skip }, () => {
  const server = useServer();

  const admin = async (...words: readonly string[]): Promise<string> => {
    const port = String(server().amqpAdminPort);
    const { stdout } = await run(program, ['-H', '127.0.0.1', '-P', port, ...words], { timeout: 60_000 });
    return stdout.trim();
  };
  /** What a command lists, as JSON. */
  const listed = async (...words: readonly string[]): Promise<unknown> =>
    JSON.parse(await admin('-f', 'raw_json', ...words));

  test('declares, publishes, gets, purges and deletes', async () => {
    assert.equal(await admin('declare', 'queue', 'name=q', 'durable=true'), 'queue declared');
    assert.equal(await admin('declare', 'exchange', 'name=x', 'type=topic'), 'exchange declared');
    assert.equal(
      await admin('declare', 'binding', 'source=x', 'destination=q', 'routing_key=a.#'),
      'binding declared',
    );
    assert.equal(
      await admin('publish', 'exchange=x', 'routing_key=a.b', 'payload=hello'),
      'Message published',
    );
    assert.equal(
      await admin('publish', 'exchange=x', 'routing_key=b', 'payload=hello'),
      'Message published but NOT routed',
    );
    assert.match(await admin('get', 'queue=q'), /\| a\.b +\| x +\| 0 +\| hello /);
    assert.deepEqual(await listed('list', 'queues', 'name', 'messages', 'durable'), [
      { name: 'q', messages: 1, durable: true },
    ]);
    assert.equal(await admin('purge', 'queue', 'name=q'), 'queue purged');
    assert.deepEqual(await listed('list', 'queues', 'messages_ready'), [{ messages_ready: 0 }]);
    assert.equal(
      await admin(
        'delete',
        'binding',
        'source=x',
        'destination_type=queue',
        'destination=q',
        'properties_key=a.%23',
      ),
      'binding deleted',
    );
    assert.equal(await admin('delete', 'queue', 'name=q'), 'queue deleted');
    assert.equal(await admin('delete', 'exchange', 'name=x'), 'exchange deleted');
  });

  test('lists everything that it knows', async () => {
    for (const what of [
      'connections',
      'channels',
      'consumers',
      'exchanges',
      'queues',
      'bindings',
      'users',
      'vhosts',
      'permissions',
      'nodes',
      'parameters',
      'policies',
      'operator_policies',
      'vhost_limits',
    ])
      assert.ok(Array.isArray(await listed('list', what)), what);
    assert.match(await admin('show', 'overview'), /rabbitmq_version .*\n.*\n\| 4\./);
  });

  test('exports definitions, and imports them again', async () => {
    await using directory = await makeTemporaryDirectory();
    const file = join(directory.path, 'definitions.json');
    await admin('declare', 'queue', 'name=kept', 'durable=true', 'arguments={"x-max-length":5}');
    await admin('declare', 'binding', 'source=amq.fanout', 'destination=kept');
    await admin('export', file);
    const exported = JSON.parse(await readFile(file, 'utf8')) as { queues: unknown };
    await admin('delete', 'queue', 'name=kept');
    await admin('import', file);
    assert.deepEqual(
      (JSON.parse(await admin('-f', 'raw_json', 'list', 'queues', 'name', 'arguments')) as unknown[]).length,
      (exported.queues as unknown[]).length,
    );
    const bindings = (await listed('list', 'bindings', 'source', 'destination')) as { source: string }[];
    assert.deepEqual(
      bindings.filter(({ source }) => source !== ''),
      [{ source: 'amq.fanout', destination: 'kept' }],
    );
    await admin('delete', 'queue', 'name=kept');
  });

  test('makes virtual hosts, users, permissions and policies', async () => {
    assert.equal(await admin('declare', 'vhost', 'name=v'), 'vhost declared');
    assert.equal(await admin('declare', 'user', 'name=u', 'password=p', 'tags=management'), 'user declared');
    assert.equal(
      await admin('declare', 'permission', 'vhost=v', 'user=u', 'configure=^a', 'write=.*', 'read=.*'),
      'permission declared',
    );
    const permissions = (await listed('list', 'permissions')) as { user: string; configure: string }[];
    assert.deepEqual(
      permissions.filter(({ user }) => user === 'u').map(({ configure }) => configure),
      ['^a'],
    );
    await admin('-V', 'v', 'declare', 'queue', 'name=q', 'durable=true');
    assert.equal(
      await admin('-V', 'v', 'declare', 'policy', 'name=p', 'pattern=.*', 'definition={"max-length":5}'),
      'policy declared',
    );
    assert.deepEqual(await listed('-V', 'v', 'list', 'queues', 'name', 'policy'), [
      { name: 'q', policy: 'p' },
    ]);
    assert.equal(
      await admin(
        '-V',
        'v',
        'declare',
        'operator_policy',
        'name=o',
        'pattern=.*',
        'definition={"max-length":3}',
      ),
      'operator_policy declared',
    );
    assert.deepEqual(await listed('list', 'operator_policies', 'vhost', 'name', 'definition'), [
      { vhost: 'v', name: 'o', definition: { 'max-length': 3 } },
    ]);
    assert.deepEqual(await listed('list', 'parameters', 'component', 'name'), [
      { component: 'operator_policy', name: 'o' },
    ]);
    const bound = await listed('-V', 'v', 'list', 'queues', 'operator_policy', 'effective_policy_definition');
    assert.deepEqual(bound, [{ operator_policy: 'o', effective_policy_definition: { 'max-length': 3 } }]);
    assert.equal(await admin('-V', 'v', 'delete', 'operator_policy', 'name=o'), 'operator_policy deleted');
    assert.equal(await admin('-V', 'v', 'delete', 'policy', 'name=p'), 'policy deleted');
    assert.equal(await admin('delete', 'user', 'name=u'), 'user deleted');
    assert.equal(await admin('delete', 'vhost', 'name=v'), 'vhost deleted');
  });

  test('hears what is wrong', async () => {
    await assert.rejects(admin('delete', 'queue', 'name=none'), ({ stderr }: { stderr: string }) => {
      assert.match(stderr, /Not found: .api.queues.%2F.none/);
      return true;
    });
    await admin('declare', 'queue', 'name=q', 'durable=true');
    await assert.rejects(
      admin('declare', 'queue', 'name=q', 'durable=false'),
      ({ stderr }: { stderr: string }) => {
        assert.match(stderr, /inequivalent arg 'durable' for queue 'q'/);
        return true;
      },
    );
    await admin('delete', 'queue', 'name=q');
  });
});
