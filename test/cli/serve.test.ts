import assert from 'node:assert/strict';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { WireClient, eventually, makeTemporaryDirectory } from '../support/index.ts';
import { type CliOptions, spawnCli } from './run-cli.ts';
import { freePortFlags } from '../support/ports.ts';

const deadlineMs = 30_000;

interface Ports {
  readonly pid: number;
  readonly nats: number;
  readonly kafka: number;
  readonly amqp: number;
  readonly amqpAdmin: number;
  readonly sqs: number;
  readonly admin: number;
}

/** A broker started by `pillarbox serve`, ended with the test in any case. */
async function serve(
  directory: string,
  args: readonly string[] = [],
  options: CliOptions = {},
): Promise<
  AsyncDisposable & {
    ports: Ports;
    portsFile: string;
    out: () => string;
    err: () => string;
    kill(signal: NodeJS.Signals): void;
    ended: Promise<number | null>;
  }
> {
  const portsFile = join(directory, 'ports.json');
  // A run that was killed leaves its own behind.
  await rm(portsFile, { force: true });
  const child = spawnCli(
    ['serve', '--data', join(directory, 'data'), ...freePortFlags, '--ports-file', portsFile, ...args],
    { cwd: directory, ...options },
  );
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  // One that does not end when it should fails its test, and does not hold up the others.
  const deadline = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  void ended.then(() => clearTimeout(deadline));
  const ports = await eventually(async () => JSON.parse(await readFile(portsFile, 'utf8')) as Ports, {
    message: 'the ports file',
  }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw new Error(`${String(error)}\n${out}${err}`);
  });
  return {
    ports,
    portsFile,
    out: () => out,
    err: () => err,
    kill: (signal) => void child.kill(signal),
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

describe('serve', () => {
  test('tells where it listens, in words and in the ports file, and how to try it', async () => {
    await using directory = await makeTemporaryDirectory();
    await using broker = await serve(directory.path);
    const { pid, nats, kafka, sqs, admin } = broker.ports;
    assert.deepEqual(Object.keys(broker.ports), [
      'pid',
      'nats',
      'kafka',
      'amqp',
      'amqpAdmin',
      'sqs',
      'admin',
    ]);
    process.kill(pid, 0);
    const text = await eventually(() => broker.out().includes('Ctrl-C') && broker.out());
    assert.match(text, new RegExp(`nats://127\\.0\\.0\\.1:${nats}\\n`));
    assert.match(text, new RegExp(`SQS +http://127\\.0\\.0\\.1:${sqs}  \\(any access key\\)\\n`));
    assert.match(text, new RegExp(`Kafka +127\\.0\\.0\\.1:${kafka}\\n`));
    assert.match(text, new RegExp(`http://127\\.0\\.0\\.1:${admin} `));
    assert.ok(text.includes(join(directory.path, 'data')));
    assert.match(text, /pub orders\.new 'hello'/);
    assert.equal((await fetch(`http://127.0.0.1:${admin}/healthz`)).status, 200);
    using client = await WireClient.open(nats);
    assert.match(await client.line(), /^INFO \{/);
  });

  test('runs without NATS, and shows no address for it', async () => {
    await using directory = await makeTemporaryDirectory();
    await using broker = await serve(directory.path, [
      '--nats-port',
      'off',
      '--amqp-port',
      'off',
      '--sqs-port',
      'off',
    ]);
    assert.deepEqual(Object.keys(broker.ports), ['pid', 'kafka', 'admin']);
    const text = await eventually(() => broker.out().includes('Ctrl-C') && broker.out());
    assert.doesNotMatch(text, /nats/i);
    assert.match(text, /Kafka {2}127/);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    test(`stops in order on ${signal}: ends with 0, and the ports file is gone`, async () => {
      await using directory = await makeTemporaryDirectory();
      await using broker = await serve(directory.path);
      broker.kill(signal);
      assert.equal(await broker.ended, 0, broker.err());
      await assert.rejects(stat(broker.portsFile), { code: 'ENOENT' });
    });

  test('says where it listens as a line of JSON, too', async () => {
    await using directory = await makeTemporaryDirectory();
    await using broker = await serve(directory.path);
    await eventually(() => broker.err().includes('the broker is ready'));
    const line = broker
      .err()
      .split('\n')
      .find((line) => line.includes('the broker is ready'))!;
    const { level, host, ports, dataDirectory, version } = JSON.parse(line) as { [name: string]: unknown };
    const { nats, kafka, amqp, amqpAdmin, sqs, admin } = broker.ports;
    assert.deepEqual(
      { level, host, ports },
      { level: 'info', host: '127.0.0.1', ports: { nats, kafka, amqp, amqpAdmin, sqs, admin } },
    );
    assert.equal(dataDirectory, join(directory.path, 'data'));
    assert.match(String(version), /^\d/);
  });

  test('keeps stored messages over a stop, and says that the stop was clean', async () => {
    await using directory = await makeTemporaryDirectory();
    {
      await using broker = await serve(directory.path);
      const api = `http://127.0.0.1:${broker.ports.admin}/api/v1`;
      await post(`${api}/topics`, { name: 'orders' });
      await post(`${api}/topics/orders/messages`, { messages: [{ value: 'kept' }] });
      broker.kill('SIGTERM');
      assert.equal(await broker.ended, 0);
    }
    await using broker = await serve(directory.path);
    const api = `http://127.0.0.1:${broker.ports.admin}/api/v1`;
    const { messages } = (await (await fetch(`${api}/topics/orders/messages`)).json()) as {
      messages: { value: string }[];
    };
    assert.deepEqual(
      messages.map(({ value }) => value),
      ['kept'],
    );
    const { stats } = (await (await fetch(`${api}/server`)).json()) as {
      stats: { log: { recovery: { cleanStop: boolean } } };
    };
    assert.equal(stats.log.recovery.cleanStop, true);
  });

  test('a second signal does not wait for clients that stay', async () => {
    await using directory = await makeTemporaryDirectory();
    await using broker = await serve(directory.path, ['--stop-grace', '30m']);
    using client = await WireClient.open(broker.ports.nats);
    await client.line();
    client.send('CONNECT {"verbose":false}\r\nPING\r\n');
    await client.line();
    broker.kill('SIGTERM');
    await eventually(() => broker.err().includes('stopping'), { message: 'the stop to begin' });
    broker.kill('SIGTERM');
    assert.equal(await broker.ended, 143);
  });

  test('ends with 70 when a write fails, and acknowledged messages are there at the next start', async () => {
    await using directory = await makeTemporaryDirectory();
    let acknowledged = 0;
    {
      // No file may grow past 6 MiB: the log meets that limit as it would meet a broken disk.
      await using broker = await serve(directory.path, [], { fileBytesMax: 6 * 2 ** 20 });
      const api = `http://127.0.0.1:${broker.ports.admin}/api/v1`;
      const messages = [{ value: 'x'.repeat(2 ** 20) }];
      try {
        await post(`${api}/topics`, { name: 'orders' });
        for (; acknowledged < 64; acknowledged++) await post(`${api}/topics/orders/messages`, { messages });
      } catch {
        // The broker is gone: now or soon.
      }
      assert.equal(await broker.ended, 70, broker.err());
      assert.match(broker.err(), /Writing to \S+data failed \(EFBIG\): the broker stops/);
    }
    await using broker = await serve(directory.path);
    const response = await fetch(`http://127.0.0.1:${broker.ports.admin}/api/v1/topics`);
    const { topics } = (await response.json()) as { topics: { messages: number }[] };
    assert.ok((topics[0]?.messages ?? 0) >= acknowledged, `${acknowledged} were acknowledged`);
  });

  test('wants the password where one is set', async () => {
    await using directory = await makeTemporaryDirectory();
    await using broker = await serve(directory.path, ['--nats-user', 'u', '--nats-password', 'p']);
    const connect = async (options: object): Promise<string> => {
      using client = await WireClient.open(broker.ports.nats);
      await client.line();
      client.send(`CONNECT ${JSON.stringify({ verbose: false, ...options })}\r\nPING\r\n`);
      // Awaited here, before the client is gone.
      return await client.line();
    };
    assert.equal(await connect({ user: 'u', pass: 'p' }), 'PONG');
    assert.match(await connect({ user: 'u', pass: 'q' }), /^-ERR 'Authorization Violation'/);
    assert.match(await connect({}), /^-ERR 'Authorization Violation'/);
  });
});

async function post(url: string, body: object): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.ok(response.ok, await response.text());
}
