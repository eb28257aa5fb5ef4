/** The broker in a container of 256 MiB: a control group, where this machine lets one be made. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectNats } from '@nats-io/transport-node';
import { test } from 'node:test';
import { eventually, makeTemporaryDirectory } from '../support/index.ts';
import { BrokerProcess } from './broker-process.ts';
import { connect } from 'node:net';
import { once } from 'node:events';

const limitBytes = 256 * 2 ** 20;
/**
 * Where control groups with a memory limit are made, and the names of its files: version 2, and version 1.
 */
const versions = [
  { root: '/sys/fs/cgroup', needs: 'cgroup.controllers', limit: 'memory.max' },
  { root: '/sys/fs/cgroup/memory', needs: 'memory.limit_in_bytes', limit: 'memory.limit_in_bytes' },
] as const;

interface Container extends Disposable {
  readonly path: string;
}

/** A control group with the limit; a text: why there is none. */
function makeContainer(): Container | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  const version = versions.find(({ root, needs }) => existsSync(join(root, needs)));
  if (!version) return 'this machine has no control groups';
  const path = join(version.root, `pillarbox-test-${process.pid}`);
  try {
    mkdirSync(path);
    writeFileSync(join(path, version.limit), String(limitBytes));
    // Without swap a process that needs more than the limit is killed.
    return { path, [Symbol.dispose]: () => rmdirSync(path) };
  } catch {
    if (existsSync(path)) rmdirSync(path);
    return 'this machine lets nobody limit the memory of a control group';
  }
}

const container = makeContainer();
const reason = typeof container === 'string' ? container : false;

test(
  'a container of 256 MiB outlives more subscriptions than it has room for',
  { skip: reason },
  async () => {
    if (typeof container === 'string') return;
    using _ = container;
    await using directory = await makeTemporaryDirectory();
    const dataDirectory = join(directory.path, 'data');
    mkdirSync(dataDirectory);
    const broker = new BrokerProcess({
      kind: 'serve',
      dataDirectory,
      workDirectory: directory.path,
      args: ['--log-level', 'error', '--disk-free-min', '0'],
      wrapper: ['sh', '-c', `echo $$ > ${container.path}/cgroup.procs; exec "$@"`, 'sh'],
    });
    await broker.start();
    try {
      const { stats } = (await (
        await fetch(`http://127.0.0.1:${broker.adminPort}/api/v1/server`)
      ).json()) as { stats: { budgets: { subscriptions: { limit: number } } } };
      const { limit } = stats.budgets.subscriptions;
      const socket = connect(broker.port, '127.0.0.1');
      await once(socket, 'connect');
      let refused = 0;
      let pongs = 0;
      let rest = '';
      socket.setEncoding('latin1').on('data', (text: string) => {
        const lines = (rest + text).split('\r\n');
        rest = lines.pop()!;
        for (const line of lines) {
          if (line.includes('maximum subscriptions exceeded')) refused++;
          if (line === 'PONG') pongs++;
        }
      });
      socket.write('CONNECT {"verbose":false}\r\n');
      const asked = limit + 5000;
      for (let from = 0; from < asked; from += 2000) {
        const lines = Array.from(
          { length: 2000 },
          (_, at) => `SUB some.subject.${from + at} ${from + at}\r\n`,
        );
        if (!socket.write(lines.join(''))) await once(socket, 'drain');
      }
      socket.write('PING\r\n');
      await eventually(() => pongs > 0);
      assert.ok(refused >= 5000, `${refused} of ${asked} were refused, and the limit is ${limit}`);
      const other = await connectNats({ port: broker.port });
      await other.flush();
      await other.close();
      socket.destroy();
      assert.equal(broker.end, undefined);
      assert.match(
        readFileSync(join(container.path, 'cgroup.procs'), 'utf8'),
        new RegExp(`^${broker.pid}$`, 'm'),
      );
      assert.equal(await broker.stop(), 0);
    } finally {
      await broker.kill();
    }
  },
);
