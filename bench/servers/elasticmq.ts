import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scratch } from '../scratch.ts';
import type { Contender } from './contender.ts';
import { bytesBelow } from './data-directory.ts';
import { freePorts } from './kafka.ts';
import { ServerProcess } from './server-process.ts';
import { answersSqs } from './sqs-queues.ts';

/** Which ElasticMQ to run. */
export interface ElasticMqOptions {
  /** A folder with the jars of its server. */
  readonly jars: string;
  readonly version: string;
  /** Whether it keeps its messages in H2 (`messages-storage`), which syncs some time after the answer. */
  readonly hasStorage: boolean;
}

/** ElasticMQ, an emulator of SQS on the JVM, with its default settings. */
export class ElasticMq implements Contender {
  readonly name: 'elasticmq' | 'elasticmq, H2';
  readonly version: string;
  readonly #options: ElasticMqOptions;

  constructor(options: ElasticMqOptions) {
    this.#options = options;
    this.name = options.hasStorage ? 'elasticmq, H2' : 'elasticmq';
    this.version = `ElasticMQ ${options.version}, ${options.hasStorage ? 'messages-storage H2' : 'in memory'}`;
  }

  async start(directory: string, scratch: Scratch): Promise<ServerProcess> {
    const [port] = await freePorts(1);
    mkdirSync(directory, { recursive: true });
    const configPath = join(directory, 'elasticmq.conf');
    writeFileSync(configPath, this.#config(port!, join(directory, 'data', 'messages')));
    const { jars } = this.#options;
    return ServerProcess.start(
      {
        command: 'java',
        args: [`-Dconfig.file=${configPath}`, '-cp', join(jars, '*'), 'org.elasticmq.server.Main'],
        readPort: () => port,
        readSqsPort: () => port,
        ready: answersSqs,
      },
      scratch,
    );
  }

  recoverableBytes(directory: string): number {
    return bytesBelow(join(directory, 'data'));
  }

  #config(port: number, storagePath: string): string {
    const storage = `messages-storage { enabled = true, uri = ${JSON.stringify(`jdbc:h2:${storagePath}`)} }\n`;
    return `include classpath("application.conf")
node-address { host = "127.0.0.1", port = ${port} }
rest-sqs { bind-port = ${port}, bind-hostname = "127.0.0.1" }
rest-stats { enabled = false }
${this.#options.hasStorage ? storage : ''}`;
  }
}
