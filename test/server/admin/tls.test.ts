/** The admin HTTP over TLS, and the command line that speaks https to it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { type PillarboxServer, type ServerOptions, startServer } from '../../../src/server/index.ts';
import { type CliResult, runCli } from '../../cli/run-cli.ts';
import { makeTemporaryDirectory } from '../../support/index.ts';
import { protocolsOff } from '../../support/ports.ts';

// dist*/test/server/admin/ -> the sources, where the fixtures are.
const protocols = fileURLToPath(new URL('../../../../test/protocols/', import.meta.url));
const certificate = join(protocols, 'kafka/fixtures/localhost-cert.pem');
const key = join(protocols, 'kafka/fixtures/localhost-key.pem');
const fixture = (name: string): string => join(protocols, 'connections/fixtures', name);

async function withServer(
  options: ServerOptions,
  run: (server: PillarboxServer, url: string, directory: string) => Promise<void>,
): Promise<void> {
  await using directory = await makeTemporaryDirectory();
  const data = join(directory.path, 'data');
  const doors = { ...protocolsOff, adminPort: 0 } as const;
  await using server = await startServer({ data, ...doors, ...options });
  await run(server, `https://localhost:${server.ports.admin}`, directory.path);
  await server.close({ graceMs: 0 });
}

const identity = { adminTlsCert: certificate, adminTlsKey: key };

function assertRefused({ code, out, err }: CliResult, why: RegExp): void {
  assert.deepEqual([code, out], [1, '']);
  assert.match(err, why);
}

describe('the admin HTTP with a certificate', () => {
  test('is spoken to by the command line that trusts it', async () => {
    await withServer(identity, async (_, url) => {
      const made = await runCli(['topics', 'create', 'orders', '--url', url, '--ca', certificate]);
      assert.deepEqual([made.code, made.out, made.err], [0, 'Created topic orders.\n', '']);
      const env = { PILLARBOX_URL: url, PILLARBOX_CA: certificate };
      assert.match((await runCli(['topics'], { env })).out, /^TOPIC[^]*\norders /);
    });
  });

  test('is not talked to by one that does not, and the reason is said', async () => {
    await withServer(identity, async ({ ports }, url) => {
      assertRefused(
        await runCli(['topics', '--url', url]),
        /is not signed by an authority .*--ca or PILLARBOX_CA/s,
      );
      const plain = await runCli(['topics', '--url', `http://localhost:${ports.admin}`]);
      assert.deepEqual([plain.code, plain.out], [69, '']);
      const missing = await runCli(['topics', '--url', url, '--ca', '/nowhere.pem']);
      assert.deepEqual([missing.code, missing.err.includes('/nowhere.pem')], [2, true]);
    });
  });

  test('cuts clients that speak no TLS, and others go on', async () => {
    await withServer(identity, async ({ ports }, url) => {
      const socket = connectPlain(ports.admin, 'localhost').on('error', () => {});
      socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await once(socket, 'close');
      assert.equal((await runCli(['topics', '--url', url, '--ca', certificate])).code, 0);
    });
  });

  test('takes pages of its own origin, which is https', async () => {
    await withServer(identity, async ({ ports }) => {
      const statusFor = async (origin: string): Promise<string> => {
        const socket = connectTls({ port: ports.admin, host: 'localhost', rejectUnauthorized: false });
        socket.write(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nOrigin: ${origin}\r\n\r\n`);
        const [answer] = (await once(socket, 'data')) as [Buffer];
        socket.destroy();
        return String(answer).slice(9, 12);
      };
      assert.equal(await statusFor('https://localhost'), '200');
      assert.equal(await statusFor('http://localhost'), '403');
    });
  });

  test('wants certificates of clients where it is told to', async () => {
    await withServer({ ...identity, adminTlsCa: certificate }, async (_, url) => {
      const trusts = ['--url', url, '--ca', certificate];
      assertRefused(await runCli(['topics', ...trusts]), /wants a certificate.*--client-cert/s);
      const own = ['--client-cert', fixture('client-cert.pem'), '--client-key', fixture('client-key.pem')];
      assert.equal((await runCli(['topics', ...trusts, ...own])).code, 0);
      const half = await runCli(['topics', ...trusts, ...own.slice(0, 2)]);
      assert.deepEqual([half.code, half.err.includes('both --client-cert and --client-key')], [2, true]);
    });
  });

  test('takes a certificate for a login, with the permissions of its user', async () => {
    const users = [{ name: 'ann', certificate: 'CN=ann', permissions: { manage: ['orders'] } }];
    await withServer({ ...identity, adminTlsCa: certificate, users }, async (_, url) => {
      const trusts = ['--url', url, '--ca', certificate];
      const own = ['--client-cert', fixture('client-cert.pem'), '--client-key', fixture('client-key.pem')];
      assert.equal((await runCli(['topics', 'create', 'orders', ...trusts, ...own])).code, 0);
      assertRefused(await runCli(['topics', 'create', 'other', ...trusts, ...own]), /may not manage/);
    });
  });

  test('shows the new certificate after the files were read anew', async () => {
    await using directory = await makeTemporaryDirectory();
    const [cert, own] = [join(directory.path, 'cert.pem'), join(directory.path, 'key.pem')];
    await copyFile(certificate, cert);
    await copyFile(key, own);
    await withServer({ adminTlsCert: cert, adminTlsKey: own }, async (server) => {
      const serial = async (): Promise<string> => {
        const socket = connectTls({ port: server.ports.admin, host: 'localhost', rejectUnauthorized: false });
        await once(socket, 'secureConnect');
        const { serialNumber } = socket.getPeerCertificate();
        socket.destroy();
        return serialNumber;
      };
      const before = await serial();
      await copyFile(fixture('renewed-cert.pem'), cert);
      await assert.rejects(server.renewTls(), /the admin HTTP do not make an identity/);
      assert.equal(await serial(), before);
      await copyFile(fixture('renewed-key.pem'), own);
      await server.renewTls();
      assert.notEqual(await serial(), before);
    });
  });

  test('needs both files, and they must be there', async () => {
    const data = '/nowhere';
    await assert.rejects(startServer({ data, adminTlsCert: certificate }), /--admin-tls-key; one of them/);
    await assert.rejects(startServer({ data, adminTlsCa: certificate }), /--admin-tls-ca .*needs TLS/);
  });
});

describe('http://', () => {
  test('says so when what answers speaks no TLS', async () => {
    await withServer({}, async (_, url) => {
      assertRefused(await runCli(['topics', '--url', url]), /does not speak TLS: use http:\/\//);
    });
  });
});
