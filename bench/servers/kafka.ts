import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { KafkaSocket } from '../load/kafka-socket.ts';
import type { Scratch } from '../scratch.ts';
import type { Contender } from './contender.ts';
import { bytesBelow } from './data-directory.ts';
import { ServerProcess } from './server-process.ts';

/** Which Kafka to run. */
export interface KafkaOptions {
  /** A directory with the jars of its distribution (`libs`). */
  readonly jars: string;
  readonly version: string;
}

const readyMsMax = 60_000;
/** The id of the cluster: any 16 bytes in base64. */
const clusterId = 'MkU3OEVBNTcwNTJENDM2Qg';

/**
 * Apache Kafka: one node as broker and controller, with its default settings, so it does not sync before it
 * answers.
 */
export class Kafka implements Contender {
  readonly name = 'kafka';
  readonly version: string;
  readonly #options: KafkaOptions;

  constructor(options: KafkaOptions) {
    this.#options = options;
    this.version = `Apache Kafka ${options.version}`;
  }

  async start(directory: string, scratch: Scratch): Promise<ServerProcess> {
    const [port, controllerPort] = await freePorts(2);
    const configPath = join(directory, 'server.properties');
    mkdirSync(directory, { recursive: true });
    writeFileSync(configPath, properties(join(directory, 'data'), port!, controllerPort!));
    const java = ['-cp', join(this.#options.jars, '*')];
    const format = [...java, 'kafka.tools.StorageTool', 'format', '--ignore-formatted', '-t', clusterId];
    const formatted = spawnSync('java', [...format, '-c', configPath], { encoding: 'utf8' });
    if (formatted.status !== 0) throw new Error(`Kafka's directory cannot be made: ${formatted.stderr}`);
    // The heap and the collector of Kafka's own start script.
    const options = ['-Xmx1G', '-Xms1G', '-server', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'];
    return ServerProcess.start(
      {
        command: 'java',
        args: [...options, ...java, 'kafka.Kafka', configPath],
        readPort: () => port,
        readKafkaPort: () => port,
        ready: answersApiVersions,
      },
      scratch,
    );
  }

  recoverableBytes(directory: string): number {
    return bytesBelow(join(directory, 'data'));
  }
}

function properties(dataDirectory: string, port: number, controllerPort: number): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
controller.listener.names=CONTROLLER
log.dirs=${dataDirectory}
offsets.topic.replication.factor=1
num.partitions=1
`;
}

/** Ports that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function answersApiVersions(port: number): Promise<void> {
  for (const deadlineMs = Date.now() + readyMsMax; ; await delay(50)) {
    try {
      const socket = await KafkaSocket.connect(port, () => {});
      await socket.call('ApiVersions', 3, { clientSoftwareName: 'bench', clientSoftwareVersion: '1' });
      return socket.end();
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
    }
  }
}
