import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ServerError, type Settings, checkExposure, loadConfiguration } from '../../src/server/index.ts';

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
    { host: '0.0.0.0', natsToken: 'secret', kafkaPort: 'off' },
    { host: '0.0.0.0', natsToken: 'secret', kafkaUser: 'u', kafkaPassword: 'p' },
    { host: '0.0.0.0', natsUser: 'u', natsPassword: 'p' },
    { host: '0.0.0.0', natsToken: 't', kafkaPort: 'off', adminHost: '0.0.0.0', adminToken: 't' },
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
