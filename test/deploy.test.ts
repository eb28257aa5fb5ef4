import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkConfiguration, environmentName, loadConfiguration, settingTable } from '../src/server/index.ts';

// The files of deploy/ are linted where their tools are (docs/deployment.md). Here they are held to the
// program.

const folder = new URL('../../deploy/', import.meta.url);
const read = (name: string): Promise<string> => readFile(new URL(name, folder), 'utf8');
const files = ['Dockerfile', 'compose.yaml', 'kubernetes.yaml', 'pillarbox.service'];
const settings = Object.values(settingTable);
const ports = [
  settingTable.natsPort,
  settingTable.kafkaPort,
  settingTable.amqpPort,
  settingTable.amqpAdminPort,
  settingTable.sqsPort,
  settingTable.adminPort,
].map((setting) => setting.default);

describe('deploy/', () => {
  test('uses flags and variables that there are', async () => {
    const flags = new Set([...settings.map(({ name }) => `--${name}`), '--config']);
    const variables = new Set(settings.map(environmentName));
    for (const name of files) {
      const text = await read(name);
      for (const [variable] of text.matchAll(/\bPILLARBOX_[A-Z_]+/g))
        assert.ok(variables.has(variable), variable);
      const lines = text
        .split('\n')
        .filter((line) => /serve|config validate/.test(line) && !/^\s*#/.test(line));
      assert.ok(lines.length > 0);
      for (const [flag] of lines.join('\n').matchAll(/--[a-z-]+/g))
        assert.ok(flags.has(flag), `${name}: ${flag}`);
    }
  });

  test('opens the ports of the defaults', async () => {
    assert.deepEqual(
      /^EXPOSE (.*)$/m
        .exec(await read('Dockerfile'))?.[1]
        ?.split(' ')
        .map(Number),
      ports,
    );
    const kubernetes = await read('kubernetes.yaml');
    for (const port of ports) assert.ok(kubernetes.includes(`containerPort: ${port} }`), String(port));
  });

  test('has a configuration that is valid for a public address', async () => {
    const file = fileURLToPath(new URL('pillarbox.config.toml', folder));
    const { settings } = await loadConfiguration({ flags: { config: file } });
    assert.equal(settings.adminHost, '0.0.0.0');
    await checkConfiguration(settings);
  });

  test('is described in docs/deployment.md', async () => {
    const text = await readFile(new URL('../docs/deployment.md', folder), 'utf8');
    for (const name of [...files, 'Dockerfile.dockerignore', 'pillarbox.config.toml'])
      assert.ok(text.includes(`deploy/${name}`), name);
  });
});

test('docs/troubleshooting.md knows every code of the broker, the server and the admin HTTP', async () => {
  const text = await readFile(new URL('../docs/troubleshooting.md', folder), 'utf8');
  const source = async (path: string): Promise<string> => readFile(new URL(`../src/${path}`, folder), 'utf8');
  const codes = new Set<string>();
  for (const path of ['broker/errors.ts', 'server/errors.ts'])
    for (const [, code = ''] of (await source(path)).matchAll(/^ {2}\| '([a-z-]+)'/gm)) codes.add(code);
  for (const path of ['admin/context.ts', 'admin/receive.ts', 'admin/login.ts', 'admin/http.ts'])
    for (const [, code = ''] of (await source(`server/${path}`)).matchAll(
      /HttpError\(\s*\d+,\s*'([a-z-]+)'/g,
    ))
      codes.add(code);
  assert.ok(codes.size > 40);
  for (const code of codes) assert.ok(text.includes(`\`${code}\``), code);
});
