import { type Socket, connect } from 'node:net';
import { join } from 'node:path';
import { mkdir, readdir } from 'node:fs/promises';
import { connect as connectNats, nuid } from '@nats-io/transport-node';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { eventually } from '../support/index.ts';
import { BrokerProcess } from './broker-process.ts';
import type { End } from './child.ts';

/** The limits that the system sets for the broker, and the number of idle connections. */
export interface LimitsCase {
  readonly name: string;
  /** A prefix of `node`: a shell that lowers a limit, or prlimit. */
  readonly wrapper: readonly string[];
  readonly nodeArgs?: readonly string[];
  readonly args?: readonly string[];
  readonly idleNats: number;
  readonly idleKafka: number;
  readonly idleAdmin: number;
}

export interface LimitsResult {
  /** Publishes acknowledged while the storm lasted. */
  readonly acked: number;
  readonly refused: number;
  readonly end: End | undefined;
  readonly problems: readonly string[];
}

/** So few descriptors that a handful of clients can use them up. */
export function withDescriptors(count: number): readonly string[] {
  return ['bash', '-c', `ulimit -n ${count}; exec "$@"`, 'bash'];
}

const subject = 'limits.a';
const publishesMin = 20;
/** Watermarks look once a second: they must have looked while there is no descriptor left. */
const stormMs = 2_500;

/** An idle connection: the server's bytes, and whether it is still open. */
class Idle {
  readonly socket: Socket;
  said = '';
  closed = false;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' });
    this.socket.on('data', (chunk) => (this.said += chunk.toString('latin1')));
    this.socket.on('error', () => {});
    this.socket.on('close', () => (this.closed = true));
  }
}

/**
 * A broker with few descriptors (or little else) and more idle connections than it can hold: a client that is
 * in goes on being served, the rest is refused, and when they have left, new clients come in by every
 * protocol.
 */
export async function runLimits(limits: LimitsCase, directory: string): Promise<LimitsResult> {
  const problems: string[] = [];
  const dataDirectory = join(directory, 'data');
  await mkdir(dataDirectory, { recursive: true });
  const broker = new BrokerProcess({
    kind: 'serve',
    isBundled: true, // a start from source files opens more of them at once than 128
    dataDirectory,
    workDirectory: directory,
    args: ['--log-level', 'error', '--disk-free-min', '0', ...(limits.args ?? [])],
    wrapper: limits.wrapper,
    ...(limits.nodeArgs === undefined ? {} : { nodeArgs: limits.nodeArgs }),
  });
  const idle: Idle[] = [];
  let acked = 0;
  let refused = 0;
  try {
    await broker.start();
    const nc = await connectNats({ servers: `127.0.0.1:${broker.port}`, reconnect: false });
    const jsm = await jetstreamManager(nc);
    await jsm.streams.add({ name: 'LIMITS', subjects: [subject] });
    // Connections that take all descriptors leave none for the next file of the journal.
    await eventually(async () => (await readdir(join(dataDirectory, 'journal'))).length > 1);
    const js = jetstream(nc);
    for (let i = 0; i < limits.idleNats; i++) idle.push(new Idle(broker.port));
    for (let i = 0; i < limits.idleKafka; i++) idle.push(new Idle(broker.kafkaPort ?? 0));
    for (let i = 0; i < limits.idleAdmin; i++) idle.push(new Idle(broker.adminPort ?? 0));
    await eventually(() => broker.end !== undefined || idle.some(({ closed }) => closed), {
      message: 'a connection to be refused',
    });
    const begin = performance.now();
    while (broker.end === undefined && (acked < publishesMin || performance.now() - begin < stormMs)) {
      await js.publish(subject, 'x'.repeat(1000), { msgID: nuid.next() });
      acked++;
    }
    refused = idle.filter(({ closed }) => closed).length;
    for (const { said } of idle)
      if (/^(-ERR|HTTP)/.test(said) && !/maximum connections exceeded|503/.test(said)) problems.push(said);
    for (const { socket } of idle) socket.destroy();
    if (broker.end === undefined) await nc.close();
    if (broker.end === undefined) await newcomers(broker, problems);
    if (broker.end !== undefined) problems.push(`the broker ended with ${broker.end}: ${broker.output}`);
    const end = await broker.stop();
    if (end !== 0) problems.push(`the stop ended with ${end}: ${broker.output}`);
    return { acked, refused, end, problems };
  } catch (error) {
    problems.push(`${String(error)}\n${broker.output}`);
    return { acked, refused, end: broker.end, problems };
  } finally {
    for (const { socket } of idle) socket.destroy();
    await broker.kill();
  }
}

/** After the storm: a client of each protocol is served. */
async function newcomers(broker: BrokerProcess, problems: string[]): Promise<void> {
  await eventually(async () => {
    const nc = await connectNats({ servers: `127.0.0.1:${broker.port}`, reconnect: false });
    await nc.flush();
    await nc.close();
    return true;
  });
  await eventually(async () => {
    const { ok } = await fetch(`http://127.0.0.1:${broker.adminPort}/metrics`);
    return ok;
  });
  // An ApiVersions request of version 0: any answer shows that the Kafka code is loaded.
  await eventually(async () => {
    const idle = new Idle(broker.kafkaPort ?? 0);
    const request = Buffer.from('0000000c00120000000000010002', 'hex');
    idle.socket.write(Buffer.concat([request, Buffer.from('me')]));
    try {
      return await eventually(() => idle.said.length > 4 || idle.closed, { timeoutMs: 5_000 }).then(
        () => idle.said.length > 4,
      );
    } finally {
      idle.socket.destroy();
    }
  }).catch((error: unknown) => problems.push(`Kafka after the storm: ${String(error)}`));
}

/** As a nightly run makes them. */
export const limitsCases: readonly LimitsCase[] = [
  {
    name: '256 descriptors, shared out by the broker',
    wrapper: withDescriptors(256),
    idleNats: 400,
    idleKafka: 100,
    idleAdmin: 100,
  },
  {
    name: '256 descriptors, and connections may take them all',
    wrapper: withDescriptors(256),
    args: ['--connections-max', '100000'],
    idleNats: 306,
    idleKafka: 50,
    idleAdmin: 20,
  },
  {
    name: '128 descriptors',
    wrapper: withDescriptors(128),
    idleNats: 200,
    idleKafka: 50,
    idleAdmin: 50,
  },
  {
    name: '256 descriptors and 1.5 GB of address space',
    wrapper: ['bash', '-c', 'ulimit -n 256; ulimit -v 1500000; exec "$@"', 'bash'],
    args: ['--connections-max', '100000'],
    idleNats: 306,
    idleKafka: 50,
    idleAdmin: 20,
  },
  {
    name: '256 descriptors and no further process or thread',
    wrapper: ['bash', '-c', 'ulimit -n 256; ulimit -u 64; exec "$@"', 'bash'],
    args: ['--connections-max', '100000'],
    idleNats: 306,
    idleKafka: 50,
    idleAdmin: 20,
  },
];
