/** Kafka's own tools for ACLs, users and quotas. Needs Java, and in KAFKA_HOME a Kafka 4.4 distribution. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { makeTemporaryDirectory, useServer, type TemporaryDirectory } from '../../support/index.ts';
import { java, skipTools } from './tools.ts';

const users = `
[[users]]
name = "admin"
password = "admin-secret"

[[users]]
name = "ann"
password = "pencil"
[users.permissions]
publish = ["orders"]
`;

const directories: TemporaryDirectory[] = [];

/** A file with the credentials of a client. */
async function clientConfig(user: string, password: string, mechanism = 'PLAIN'): Promise<string> {
  const isPlain = mechanism === 'PLAIN';
  const module = `org.apache.kafka.common.security.${isPlain ? 'plain.Plain' : 'scram.Scram'}LoginModule`;
  const directory = await makeTemporaryDirectory();
  directories.push(directory);
  const path = join(directory.path, 'client.properties');
  await writeFile(
    path,
    [
      'security.protocol=SASL_PLAINTEXT',
      `sasl.mechanism=${mechanism}`,
      `sasl.jaas.config=${module} required username="${user}" password="${password}";`,
      'request.timeout.ms=15000',
      'default.api.timeout.ms=20000',
    ].join('\n'),
  );
  return path;
}

describe('Kafka’s own tools for security', { skip: skipTools, timeout: 600_000 }, () => {
  const server = useServer({ configuration: { pillarbox: users, natsServer: '' } });
  after(async () => {
    for (const directory of directories) await directory[Symbol.asyncDispose]();
  });
  const bootstrap = (): string[] => ['--bootstrap-server', `127.0.0.1:${server().kafkaPort}`];
  const run = async (
    tool: string,
    config: string,
    args: readonly string[],
    options: { readonly fails?: boolean; readonly input?: string } = {},
  ): Promise<string> =>
    java(`org.apache.kafka.tools.${tool}`, [...bootstrap(), '--command-config', config, ...args], options);

  test('kafka-acls adds, lists and removes, and kafka-topics sees what it may', async () => {
    const admin = await clientConfig('admin', 'admin-secret');
    const ann = await clientConfig('ann', 'pencil');
    await run('TopicCommand', admin, ['--create', '--topic', 'orders']);
    await run('TopicCommand', admin, ['--create', '--topic', 'others']);
    assert.equal((await run('TopicCommand', ann, ['--list'])).trim(), 'orders');
    const added = await run('AclCommand', admin, [
      '--add',
      '--allow-principal',
      'User:ann',
      '--consumer',
      '--topic',
      'oth',
      '--resource-pattern-type',
      'prefixed',
      '--group',
      '*',
    ]);
    assert.match(added, /principal=User:ann, host=\*, operation=READ, permissionType=ALLOW/);
    assert.equal((await run('TopicCommand', ann, ['--list'])).trim(), 'orders\nothers');
    const listed = await run('AclCommand', admin, [
      '--list',
      '--topic',
      'others',
      '--resource-pattern-type',
      'match',
    ]);
    assert.match(listed, /resourceType=TOPIC, name=oth, patternType=PREFIXED/);
    await run('AclCommand', ann, ['--list'], { fails: true });
    await run('AclCommand', admin, [
      '--remove',
      '--force',
      '--topic',
      'oth',
      '--resource-pattern-type',
      'prefixed',
    ]);
    assert.equal((await run('TopicCommand', ann, ['--list'])).trim(), 'orders');
  });

  test('kafka-configs adds a user, who logs in by SCRAM, and says so', async () => {
    const admin = await clientConfig('admin', 'admin-secret');
    const scram = ['--entity-type', 'users', '--entity-name', 'ben'];
    await run('ConfigCommand', admin, [
      '--alter',
      ...scram,
      '--add-config',
      'SCRAM-SHA-512=[iterations=8192,password=rubber]',
    ]);
    const described = await run('ConfigCommand', admin, ['--describe', ...scram]);
    assert.match(
      described,
      /SCRAM credential configs for user-principal 'ben' are SCRAM-SHA-512=iterations=8192/,
    );
    const ben = await clientConfig('ben', 'rubber', 'SCRAM-SHA-512');
    assert.equal((await run('TopicCommand', ben, ['--list'])).trim(), '');
    await run('ConfigCommand', admin, ['--alter', ...scram, '--delete-config', 'SCRAM-SHA-512']);
    await run('TopicCommand', ben, ['--list'], { fails: true });
  });

  test('kafka-configs sets quotas, and shows and removes them', async () => {
    const admin = await clientConfig('admin', 'admin-secret');
    const both = [
      '--entity-type',
      'users',
      '--entity-name',
      'ann',
      '--entity-type',
      'clients',
      '--entity-default',
    ];
    const quotas = 'producer_byte_rate=1024,consumer_byte_rate=2048,request_percentage=12.5';
    await run('ConfigCommand', admin, ['--alter', ...both, '--add-config', quotas]);
    const described = await run('ConfigCommand', admin, ['--describe', ...both]);
    assert.match(described, /producer_byte_rate=1024\.0/);
    assert.match(described, /request_percentage=12\.5/);
    await run('ConfigCommand', admin, ['--alter', ...both, '--delete-config', 'producer_byte_rate']);
    assert.doesNotMatch(await run('ConfigCommand', admin, ['--describe', ...both]), /producer_byte_rate/);
  });
});
