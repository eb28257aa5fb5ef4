import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseKafkaSettings } from '../../src/protocols/kafka/index.ts';
import { ServerError, type Settings, checkExposure, loadConfiguration } from '../../src/server/index.ts';
import { protocolsOff } from '../support/ports.ts';

async function settingsWith(changes: Partial<Settings>): Promise<Settings> {
  const { settings } = await loadConfiguration({ directory: import.meta.dirname });
  return { ...settings, ...changes };
}

describe('a public address', () => {
  const refused: readonly (readonly [Partial<Settings>, RegExp])[] = [
    [{ host: '0.0.0.0' }, /open NATS to the network on 0\.0\.0\.0 without authentication: set --nats-user/],
    [{ host: '::' }, /open NATS/],
    [{ host: '192.0.2.1' }, /open NATS/],
    [{ host: '::ffff:192.0.2.1' }, /open NATS/],
    [{ adminHost: '0.0.0.0' }, /open the admin HTTP to the network on 0\.0\.0\.0 .*: set --admin-token/],
    [{ host: '0.0.0.0', natsToken: 'secret' }, /open Kafka to the network .*: set --kafka-user/],
    [{ host: '0.0.0.0', natsUser: 'u', natsPassword: 'p', adminHost: '0.0.0.0' }, /open the admin HTTP/],
  ];
  for (const [changes, says] of refused)
    test(`is refused without authentication: ${JSON.stringify(changes)}`, async () => {
      await assert.rejects(checkExposure(await settingsWith(changes)), (error: unknown) => {
        assert.ok(error instanceof ServerError);
        assert.equal(error.code, 'address-not-allowed');
        assert.match(error.message, says);
        return true;
      });
    });

  const allowed: readonly Partial<Settings>[] = [
    {},
    { host: 'localhost', adminHost: '::1' },
    { host: '127.1.2.3' },
    { host: '0.0.0.0', natsToken: 'secret', kafkaPort: 'off', amqpPort: 'off', sqsPort: 'off' },
    { host: '0.0.0.0', users: [{ name: 'ann', password: 'secret' }] },
    { host: '0.0.0.0', natsToken: 's', kafkaUser: 'u', kafkaPassword: 'p', amqpPort: 'off', sqsPort: 'off' },
    { host: '0.0.0.0', natsUser: 'u', natsPassword: 'p' },
    {
      host: '0.0.0.0',
      natsToken: 't',
      kafkaPort: 'off',
      amqpPort: 'off',
      sqsPort: 'off',
      adminHost: '0.0.0.0',
      adminToken: 't',
    },
    { host: '0.0.0.0', natsPort: 'off', kafkaUser: 'u', kafkaPassword: 'p', amqpPort: 'off', sqsPort: 'off' },
    { host: '0.0.0.0', ...protocolsOff },
    { host: '0.0.0.0', adminHost: '0.0.0.0', insecure: true },
  ];
  for (const changes of allowed)
    test(`is no question here: ${JSON.stringify(changes)}`, async () => {
      await checkExposure(await settingsWith(changes));
    });

  test('with half of the credentials is a mistake', async () => {
    for (const half of [{ natsUser: 'u' }, { kafkaPassword: 'p' }, { kafkaTlsCert: 'cert.pem' }]) {
      await assert.rejects(checkExposure(await settingsWith(half)), { code: 'configuration-invalid' });
    }
  });
});

describe('kafka-config', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['broker.rack=1', /"broker\.rack=1" names no config that can be set/],
    ['node.id', /"node\.id" names no config/],
    ['node.id=-1', /"node\.id=-1" is not a whole number from 0 to 2147483647/],
    ['node.id=1.5', /not a whole number/],
    [
      'group.consumer.session.timeout.ms=1000',
      /is not between group\.consumer\.min\.session\.timeout\.ms=45000/,
    ],
    ['group.share.max.delivery.count.limit=3', /group\.share\.delivery\.count\.limit=5 is not between/],
    ['group.min.session.timeout.ms=2000000', /is above group\.max\.session\.timeout\.ms/],
    [
      'group.consumer.max.heartbeat.interval.ms=60000,group.consumer.heartbeat.interval.ms=50000',
      /must be below group\.consumer\.session\.timeout\.ms/,
    ],
  ];
  for (const [kafkaConfig, says] of refused)
    test(`is refused: ${kafkaConfig}`, async () => {
      await assert.rejects(checkExposure(await settingsWith({ kafkaConfig })), (error: unknown) => {
        assert.ok(error instanceof ServerError);
        assert.equal(error.code, 'configuration-invalid');
        assert.match(error.message, says);
        return true;
      });
    });

  test('a comma within a Kafka config is escaped; texts that do not fit are refused', () => {
    const rules = 'RULE:^CN=(.*?)\\,.*$/$1/L\\,DEFAULT';
    const settings = parseKafkaSettings(
      `super.users=User:a;User:b, ssl.principal.mapping.rules=${rules},node.id=3`,
    );
    assert.equal(settings['super.users'], 'User:a;User:b');
    assert.equal(settings['ssl.principal.mapping.rules'], 'RULE:^CN=(.*?),.*$/$1/L,DEFAULT');
    assert.equal(settings['node.id'], 3);
    for (const wrong of [
      'super.users=ann',
      'allow.everyone.if.no.acl.found=yes',
      'ssl.client.auth=maybe',
      'ssl.principal.mapping.rules=RULE:(a|b)/x/',
    ])
      assert.throws(() => parseKafkaSettings(wrong), /does not fit/, wrong);
  });

  test('is read with blanks and without', async () => {
    await checkExposure(
      await settingsWith({ kafkaConfig: ' node.id = 7, group.initial.rebalance.delay.ms=3000,' }),
    );
    const settings = parseKafkaSettings('node.id = 7, group.initial.rebalance.delay.ms=3000');
    assert.deepEqual(
      [settings['node.id'], settings['group.initial.rebalance.delay.ms'], settings['group.max.size']],
      [7, 3000, 5000],
    );
  });
});
