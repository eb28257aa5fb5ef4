import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Contender } from './contender.ts';
import { ElasticMq } from './elasticmq.ts';
import { Fauxqs } from './fauxqs.ts';
import { Kafka } from './kafka.ts';
import { NatsServer } from './nats-server.ts';
import { Pillarbox } from './pillarbox.ts';
import { RabbitMq } from './rabbitmq.ts';

/** Where to look for the servers; a server that is not found is not measured. */
export interface FindOptions {
  /** The built command line of the broker; by default the one built together with this bench. */
  readonly pillarboxPath?: string | undefined;
  /** The command line of another build, to be measured beside it. */
  readonly beforePath?: string | undefined;
  /** Measures the broker with users and permissions, too. */
  readonly users?: boolean;
  /** Measures the broker with this configuration file, too. */
  readonly configurationPath?: string | undefined;
  /** Opens the dashboard of the broker, but not that of the other builds and configurations. */
  readonly hasDashboard?: boolean;
  readonly profileDirectory?: string | undefined;
  /** By default $NATS_SERVER, or nats-server on PATH. */
  readonly natsServerPath?: string | undefined;
}

const outputRoot = fileURLToPath(new URL('../../', import.meta.url));
export const projectRoot: string = fileURLToPath(new URL('../../../', import.meta.url));

export function findContenders(options: FindOptions): Contender[] {
  return [
    ...findPillarbox(options),
    ...findNatsServer(options),
    ...findKafka(),
    ...findRabbitMq(),
    ...findFauxqs(),
    ...findElasticMq(),
  ];
}

function findPillarbox(options: FindOptions): Contender[] {
  const cliPath = options.pillarboxPath ?? `${outputRoot}bundle/cli/main.js`;
  if (!existsSync(cliPath)) return [];
  const { beforePath, profileDirectory, configurationPath, hasDashboard = false } = options;
  const version = readProjectVersion();
  const now: Contender[] = [new Pillarbox({ cliPath, version, profileDirectory, hasDashboard })];
  if (options.users === true) now.push(new Pillarbox({ name: 'users', cliPath, version }));
  if (configurationPath !== undefined) {
    const path = resolve(configurationPath);
    if (!existsSync(path)) throw new Error(`there is no ${path}: correct --configured`);
    now.push(new Pillarbox({ name: 'configured', cliPath, version, configurationPath: path }));
  }
  if (beforePath === undefined) return now;
  if (!existsSync(beforePath)) throw new Error(`there is no ${beforePath}: build it, or correct --before`);
  return [...now, new Pillarbox({ name: 'before', cliPath: beforePath, version: beforePath })];
}

function findNatsServer(options: FindOptions): Contender[] {
  const path = options.natsServerPath ?? process.env['NATS_SERVER'] ?? 'nats-server';
  const { stdout, status } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  if (status !== 0) return [];
  const version = /v(\d+)\.(\d+)\.\S+/.exec(stdout);
  const plain = new NatsServer({ path, version: version?.[0] ?? stdout.trim(), synced: false });
  // `sync_interval` came with 2.10; older servers refuse a configuration that has it.
  if (Number(version?.[1]) === 2 && Number(version?.[2]) < 10) return [plain];
  return [plain, new NatsServer({ path, version: version?.[0] ?? stdout.trim(), synced: true })];
}

/** Where $KAFKA_LIBS says that its jars are, and only there. */
function findKafka(): Contender[] {
  const jars = process.env['KAFKA_LIBS'];
  if (jars === undefined) return [];
  const version = versionOfJar(jars, /^kafka-clients-(.+)\.jar$/);
  return version === undefined ? [] : [new Kafka({ jars, version })];
}

/** The program that $RABBITMQ_SERVER names (see .ci/rabbitmq), with classic and with quorum queues. */
function findRabbitMq(): Contender[] {
  const path = process.env['RABBITMQ_SERVER'];
  if (path === undefined || !existsSync(path)) return [];
  return (['classic', 'quorum'] as const).map((queueType) => new RabbitMq({ path, queueType }));
}

/** The package that $FAUXQS names, on the Node that $FAUXQS_NODE names (see .ci/peers), by default ours. */
function findFauxqs(): Contender[] {
  const { FAUXQS: path, FAUXQS_NODE: node = process.execPath } = process.env;
  if (path === undefined || !existsSync(path)) return [];
  const { status } = spawnSync(node, ['--eval', 'require("node:sqlite")'], { stdio: 'ignore' });
  if (status !== 0) throw new Error(`fauxqs needs Node 22.5 or newer: FAUXQS_NODE names one, not ${node}`);
  return [false, true].map((hasSqlite) => new Fauxqs({ path, node, hasSqlite }));
}

/** Where $ELASTICMQ_LIBS says that its jars are (see .ci/peers), in memory and with its storage. */
function findElasticMq(): Contender[] {
  const jars = process.env['ELASTICMQ_LIBS'];
  if (jars === undefined || !existsSync(jars)) return [];
  const version = versionOfJar(jars, /^elasticmq-server_[\d.]+-(.+)\.jar$/);
  if (version === undefined) return [];
  return [false, true].map((hasStorage) => new ElasticMq({ jars, version, hasStorage }));
}

function versionOfJar(jars: string, pattern: RegExp): string | undefined {
  return readdirSync(jars)
    .map((name) => pattern.exec(name)?.[1])
    .find((found) => found !== undefined);
}

/**
 * `0.1.0 (1a2b3c4)`; the commit is left out where there is no git, and marked where files have changed since.
 */
function readProjectVersion(): string {
  const manifest = JSON.parse(readFileSync(`${projectRoot}package.json`, 'utf8')) as { version: string };
  const git = spawnSync('git', ['describe', '--always', '--dirty', '--exclude=*'], {
    cwd: projectRoot,
    encoding: 'utf8',
  });
  return git.status === 0 ? `${manifest.version} (${git.stdout.trim()})` : manifest.version;
}
