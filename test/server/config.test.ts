import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  ServerError,
  checkConfiguration,
  environmentName,
  loadConfiguration,
  settingTable,
  shownSettings,
} from '../../src/server/index.ts';
import { makeTemporaryDirectory } from '../support/index.ts';

async function inDirectory(
  files: { readonly [name: string]: string },
  run: (directory: string) => Promise<void>,
): Promise<void> {
  await using directory = await makeTemporaryDirectory();
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory.path, name), text);
  await run(directory.path);
}

describe('the configuration', () => {
  test('comes from flags, then the environment, then the file, then the defaults', async () => {
    await inDirectory(
      { 'pillarbox.config.toml': 'nats-port = 1\nadmin-port = 2\nhost = "::1"' },
      async (directory) => {
        const { settings, origins, file } = await loadConfiguration({
          directory,
          flags: { 'nats-port': '5' },
          environment: { PILLARBOX_NATS_PORT: '4', PILLARBOX_ADMIN_PORT: '3' },
        });
        assert.deepEqual([settings.natsPort, origins.natsPort], [5, 'flag']);
        assert.deepEqual([settings.adminPort, origins.adminPort], [3, 'environment']);
        assert.deepEqual([settings.host, origins.host], ['::1', 'file']);
        assert.deepEqual([settings.data, origins.data], ['./data', 'default']);
        assert.equal(file, join(directory, 'pillarbox.config.toml'));
      },
    );
  });

  test('is the defaults where nothing is said, and an empty variable says nothing', async () => {
    await inDirectory({}, async (directory) => {
      const { settings, file, warnings } = await loadConfiguration({
        directory,
        environment: { PILLARBOX_NATS_PORT: '', HOME: '/' },
      });
      assert.equal(file, undefined);
      assert.deepEqual(warnings, []);
      for (const [key, setting] of Object.entries(settingTable))
        assert.equal(settings[key as keyof typeof settings], setting.default, key);
    });
  });

  test('reads JSON, and a file that is named', async () => {
    const files = { 'mine.json': '{"nats-port": 7, "insecure": true, "max-payload": "2MiB"}' };
    await inDirectory(files, async (directory) => {
      const { settings } = await loadConfiguration({ directory, flags: { config: 'mine.json' } });
      assert.equal(settings.natsPort, 7);
      assert.equal(settings.insecure, true);
      assert.equal(settings.maxPayloadBytes, 2 * 2 ** 20);
    });
  });

  test('warns of a variable it does not know', async () => {
    await inDirectory({}, async (directory) => {
      const environment = { PILLARBOX_NATS_PROT: '1', PILLARBOX_URL: 'http://localhost:1' };
      const { warnings } = await loadConfiguration({ directory, environment });
      assert.deepEqual(warnings, [
        'The environment variable PILLARBOX_NATS_PROT is not known and was ignored.',
      ]);
    });
  });

  const mistakes: readonly {
    readonly name: string;
    readonly files?: { readonly [name: string]: string };
    readonly flags?: { readonly [name: string]: string };
    readonly environment?: { readonly [name: string]: string };
    readonly says: RegExp;
  }[] = [
    {
      name: 'a file that is no TOML',
      files: { 'pillarbox.config.toml': 'admin-port = 1\nnats-port = = 3' },
      says: /^The configuration file \S+pillarbox\.config\.toml is not valid TOML \(.+, line 2\); correct it there or remove the file\.$/,
    },
    {
      name: 'a file that is no JSON',
      files: { 'pillarbox.config.json': '{"nats-port": 4222' },
      says: /pillarbox\.config\.json is not valid JSON/,
    },
    {
      name: 'a file that is no object',
      files: { 'pillarbox.config.json': '[1]' },
      says: /must hold an object/,
    },
    {
      name: 'a key nobody knows',
      files: { 'pillarbox.config.toml': 'natsPort = 4222' },
      says: /unknown key "natsPort"; did you mean "nats-port"\?$/,
    },
    {
      name: 'a value of the wrong kind',
      files: { 'pillarbox.config.json': '{"nats-port": "many"}' },
      says: /^The key "nats-port" in the configuration file \S+ must be a port number .*, not "many"; correct it/,
    },
    {
      name: 'a file that is not there',
      flags: { config: 'nowhere.toml' },
      says: /nowhere\.toml cannot be read \(ENOENT\)/,
    },
    {
      name: 'a flag out of range',
      flags: { 'admin-port': '65536' },
      says: /^The flag --admin-port must be a port/,
    },
    {
      name: 'a variable that does not fit',
      environment: { PILLARBOX_LOG_LEVEL: 'loud' },
      says: /^The environment variable PILLARBOX_LOG_LEVEL must be one of fatal, .*, not "loud"/,
    },
  ];
  for (const { name, files = {}, flags = {}, environment = {}, says } of mistakes)
    test(`refuses ${name} in one sentence`, async () => {
      await inDirectory(files, async (directory) => {
        await assert.rejects(loadConfiguration({ directory, flags, environment }), (error: unknown) => {
          assert.ok(error instanceof ServerError);
          assert.equal(error.code, 'configuration-invalid');
          assert.match(error.message, says);
          assert.doesNotMatch(error.message, /\n/);
          return true;
        });
      });
    });

  test('has users from the file, or as JSON, and names the problem of an invalid one', async () => {
    const users = [{ name: 'ann', password: 'secret', permissions: { publish: ['orders'] } }];
    const file = '[[users]]\nname = "ann"\npassword = "secret"\n[users.permissions]\npublish = ["orders"]\n';
    await inDirectory({ 'pillarbox.config.toml': file }, async (directory) => {
      const { settings } = await loadConfiguration({ directory });
      assert.equal(JSON.stringify(settings.users), JSON.stringify(users));
    });
    const environment = { PILLARBOX_USERS: JSON.stringify(users) };
    assert.deepEqual((await loadConfiguration({ environment })).settings.users, users);
    await inDirectory({ 'mine.toml': '[[users]]\nname = "ann"\ncolour = "red"' }, async (directory) => {
      await assert.rejects(loadConfiguration({ directory, flags: { config: 'mine.toml' } }), {
        code: 'configuration-invalid',
        message: /"users" in the configuration file .*: The user "ann" .* has an unknown key "colour"/,
      });
    });
  });

  test('does not repeat a secret in a message', async () => {
    await inDirectory({ 'pillarbox.config.json': '{"nats-password": ["s3cret"]}' }, async (directory) => {
      await assert.rejects(loadConfiguration({ directory }), (error: Error) => {
        assert.doesNotMatch(error.message, /s3cret/);
        return true;
      });
    });
  });
});

describe('the table of settings', () => {
  test('has a name for each that works as flag, variable and key', () => {
    const names = Object.values(settingTable).map((setting) => setting.name);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.match(name, /^[a-z]+(-[a-z]+)*$/);
    assert.equal(environmentName(settingTable.natsPort), 'PILLARBOX_NATS_PORT');
  });

  test('takes its own defaults', () => {
    for (const setting of Object.values(settingTable)) {
      if (setting.default === undefined || setting.placeholder === 'TIME') continue;
      assert.equal(setting.parse(setting.default), setting.default, setting.name);
    }
  });

  test('reads sizes and times with their units', () => {
    const { maxPayloadBytes, stopGraceMs } = settingTable;
    assert.equal(maxPayloadBytes.parse('65536'), 65_536);
    assert.equal(maxPayloadBytes.parse('512KiB'), 512 * 1024);
    assert.equal(maxPayloadBytes.parse('1 MB'), 1_000_000);
    assert.equal(maxPayloadBytes.parse('0'), undefined);
    assert.equal(maxPayloadBytes.parse('65 MiB'), undefined);
    assert.equal(maxPayloadBytes.parse('1 parsec'), undefined);
    assert.equal(stopGraceMs.parse('500ms'), 500);
    assert.equal(stopGraceMs.parse('1m'), 60_000);
    assert.equal(stopGraceMs.parse('10'), undefined);
    assert.equal(stopGraceMs.parse('2h'), undefined);
  });
});

describe('the configuration as it is shown', () => {
  test('has every setting with its origin, in the words of a flag, and no secret', async () => {
    await inDirectory(
      { 'pillarbox.config.toml': 'nats-token = "hidden"\nstop-grace = "1500ms"\nmax-payload = "2MiB"' },
      async (directory) => {
        const configuration = await loadConfiguration({
          directory,
          flags: { users: '[{"name":"ann","password":"hidden"}]' },
          environment: { PILLARBOX_TOPICS_MAX: '7', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' },
        });
        const shown = shownSettings(configuration);
        assert.equal(shown.length, Object.keys(settingTable).length);
        const of = (name: string) => {
          const { value, origin, inForce } = shown.find((setting) => setting.name === name)!;
          return [value, origin, ...(inForce === undefined ? [] : [inForce])];
        };
        assert.deepEqual(of('nats-token'), ['***', 'file']);
        assert.deepEqual(of('users'), ['***', 'flag']);
        assert.deepEqual(of('stop-grace'), ['1500ms', 'file']);
        assert.deepEqual(of('max-payload'), ['2MiB', 'file']);
        assert.deepEqual(of('topics-max'), [7, 'environment']);
        assert.deepEqual(of('tracing-endpoint'), ['http://collector:4318', 'environment']);
        assert.deepEqual(of('login-delay-max'), ['10s', 'default']);
        assert.deepEqual(of('admin-token'), [null, 'default']);
        assert.deepEqual(of('heap-max').slice(0, 2), [null, 'default']);
        assert.match(JSON.stringify(of('heap-max')), /"85 % of V8/);
        assert.doesNotMatch(JSON.stringify(shown), /hidden/);
      },
    );
  });

  test('is checked as a start checks it', async () => {
    const check = async (flags: { readonly [name: string]: string }): Promise<void> => {
      await inDirectory({}, async (directory) =>
        checkConfiguration((await loadConfiguration({ directory, flags })).settings),
      );
    };
    await check({});
    const invalid = { name: 'ServerError', code: 'configuration-invalid' };
    await assert.rejects(
      check({ 'admin-tls-cert': '/nowhere.pem', 'admin-tls-key': '/nowhere.pem' }),
      invalid,
    );
    await assert.rejects(check({ 'nats-user': 'a' }), ServerError);
    await assert.rejects(check({ host: '0.0.0.0' }), ServerError);
  });
});
