import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { startServer, type ServerOptions } from '../../src/server/index.ts';
import { isLoopback } from '../../src/server/address.ts';
import { makeTemporaryDirectory } from '../support/index.ts';
import { freePorts } from '../support/ports.ts';

describe('settings from code are checked like flags', () => {
  const bad: readonly (readonly [{ readonly [name: string]: unknown }, RegExp])[] = [
    [{ host: '' }, /^The setting "host" must be a text that is not empty, not ""; /],
    [{ adminHost: '' }, /"adminHost" must be/],
    [{ natsToken: '' }, /"natsToken" must be a text that is not empty, not ""/],
    [{ natsUser: 'ada', natsPassword: '' }, /"natsPassword" must be/],
    [{ natsUser: '', natsPassword: '' }, /"natsUser" must be/],
    [{ natsUser: 'ada' }, /needs both --nats-user and --nats-password/],
    [{ kafkaUser: 'ada' }, /needs both --kafka-user and --kafka-password/],
    [{ kafkaUser: 'ada', kafkaPassword: '' }, /"kafkaPassword" must be/],
    [{ kafkaTlsCert: 'cert.pem' }, /needs both --kafka-tls-cert/],
    [{ adminToken: '' }, /"adminToken" must be/],
    [
      { adminToken: 12345 },
      /"adminToken" must be a text that is not empty, not the value given \(not shown\)/,
    ],
    [{ data: '' }, /"data" must be/],
    [{ portsFile: '' }, /"portsFile" must be/],
    [{ natsPort: '4222' }, /"natsPort" must be a port number/],
    [{ natsPort: 70_000 }, /"natsPort" must be/],
    [{ natsPort: null }, /"natsPort" must be/],
    [{ kafkaPort: false }, /"kafkaPort" must be .*or off/],
    [{ insecure: 'yes' }, /"insecure" must be true or false/],
    [{ logLevel: 'loud' }, /"logLevel" must be one of/],
    [{ stopGraceMs: -1 }, /"stopGraceMs" must be a time/],
    [{ stopGraceMs: '2s' }, /"stopGraceMs" must be a time/],
    [{ maxPayloadBytes: 0 }, /"maxPayloadBytes" must be a size/],
    [{ natsTokn: 'secret' }, /no setting "natsTokn"; the known ones are/],
    [{ 'nats-token': 'secret' }, /no setting "nats-token"; did you mean "natsToken"/],
  ];
  for (const [options, message] of bad)
    test(JSON.stringify(options), async () => {
      await using directory = await makeTemporaryDirectory();
      const ports = { ...freePorts, data: `${directory.path}/data` };
      await assert.rejects(startServer({ ...ports, ...options }), {
        code: 'configuration-invalid',
        message,
      });
      assert.deepEqual(await readdir(directory.path), [], 'nothing was started');
    });

  test('undefined is left out, and given values hold', async () => {
    await using directory = await makeTemporaryDirectory();
    const given = {
      host: undefined,
      natsToken: undefined,
      stopGraceMs: 50,
      kafkaPort: 'off',
      amqpPort: 'off',
      natsPort: 0,
      adminPort: 0,
    };
    await using server = await startServer({ ...given, data: directory.path } as unknown as ServerOptions);
    assert.equal(server.settings.host, '127.0.0.1');
    assert.equal(server.settings.stopGraceMs, 50);
    assert.equal(server.ports.kafka, undefined);
  });

  test('a name that resolves to nothing is not this machine', async () => {
    assert.equal(await isLoopback('').catch(() => false), false);
  });
});
