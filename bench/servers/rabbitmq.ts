import { spawn } from 'node:child_process';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AmqpSocket } from '../load/amqp-socket.ts';
import type { Scratch } from '../scratch.ts';
import type { QueueType } from './amqp-queues.ts';
import type { Contender } from './contender.ts';
import { bytesBelow } from './data-directory.ts';
import { freePorts } from './kafka.ts';
import { ServerProcess } from './server-process.ts';

/** Which RabbitMQ to run. */
export interface RabbitMqOptions {
  /** The program `rabbitmq-server`. */
  readonly path: string;
  readonly queueType: QueueType;
}

const readyMsMax = 60_000;

/** RabbitMQ, one node with its default settings, on loopback. */
export class RabbitMq implements Contender {
  readonly name: 'rabbitmq' | 'rabbitmq, quorum';
  readonly version: string;
  readonly #options: RabbitMqOptions;

  constructor(options: RabbitMqOptions) {
    this.#options = options;
    this.name = options.queueType === 'quorum' ? 'rabbitmq, quorum' : 'rabbitmq';
    this.version = `RabbitMQ ${versionOf(options.path)}, ${options.queueType} queues`;
  }

  async start(directory: string, scratch: Scratch): Promise<ServerProcess> {
    mkdirSync(directory, { recursive: true });
    const [port, distributionPort, epmdPort] = await freePorts(3);
    const erlang = { ERL_EPMD_PORT: `${epmdPort}`, ERL_EPMD_ADDRESS: '127.0.0.1' };
    // With an epmd of its own, or Erlang starts one that stays.
    const epmd = spawn('epmd', [], { stdio: 'ignore', env: { ...process.env, ...erlang } });
    scratch.addProcess(epmd);
    return ServerProcess.start(
      {
        command: this.#options.path,
        args: [],
        environment: {
          ...erlang,
          HOME: directory,
          // As under systemd there is no shell between us and Erlang.
          RUNNING_UNDER_SYSTEMD: 'true',
          RABBITMQ_NODENAME: `bench${port}@localhost`,
          RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
          RABBITMQ_NODE_PORT: `${port}`,
          RABBITMQ_DIST_PORT: `${distributionPort}`,
          RABBITMQ_MNESIA_BASE: join(directory, 'data'),
          RABBITMQ_LOG_BASE: join(directory, 'log'),
          RABBITMQ_PID_FILE: join(directory, 'pid'),
          RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'plugins'),
          RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
        },
        readPort: () => port,
        readAmqpPort: () => port,
        ready: answersHandshake,
      },
      scratch,
    );
  }

  recoverableBytes(directory: string): number {
    return bytesBelow(join(directory, 'data'));
  }
}

async function answersHandshake(port: number): Promise<void> {
  for (const deadlineMs = Date.now() + readyMsMax; ; await delay(50)) {
    try {
      return (await AmqpSocket.connect(port, () => {})).end();
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
    }
  }
}

/** The version, by the path of the program: rabbitmqctl would leave a process of Erlang behind. */
function versionOf(path: string): string {
  return /rabbitmq_server-(\d+\.\d+\.\d+)/.exec(realpathSync(path))?.[1] ?? 'of an unknown version';
}
