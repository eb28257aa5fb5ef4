import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import type { Broker } from '../broker/index.ts';
import {
  parseKafkaSettings,
  type ConnectionInfo,
  type Hall,
  Listener,
  type ListenOptions,
  type TlsIdentity,
} from '../protocols/index.ts';
import type { Endpoint, KafkaEvent, KafkaFrontend } from '../protocols/kafka/index.ts';
import { ServerError, messageOf, systemErrorCode } from './errors.ts';
import type { Door } from './frontends.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';

/**
 * The Kafka door listens for Kafka clients and hands them to the frontend, which is loaded only when all listen, or a first client comes: it has as
 * much code as everything else together.
 */
export class KafkaDoor implements Door {
  readonly name = 'kafka';
  readonly authenticates: boolean;
  readonly #broker: Broker;
  readonly #hall: Hall;
  readonly #settings: Settings;
  readonly #log: Log;
  #listener: Listener | undefined;
  #loading: Promise<KafkaFrontend> | undefined;
  #frontend: KafkaFrontend | undefined;
  #isClosing = false;

  constructor(broker: Broker, hall: Hall, settings: Settings, log: Log) {
    this.#broker = broker;
    this.#hall = hall;
    this.#settings = settings;
    this.#log = log;
    this.authenticates = userOf(settings) !== undefined;
  }

  get connections(): number {
    return this.#frontend?.connections ?? 0;
  }

  listConnections(): ConnectionInfo[] {
    return this.#frontend?.listConnections() ?? [];
  }

  async listen(options: ListenOptions): Promise<{ readonly port: number }> {
    this.#listener = Listener.for((socket) => this.#accept(socket), await readTls(this.#settings));
    return this.#listener.listen(options);
  }

  /** Loads the frontend, so that the first client need not wait for it. */
  load(): Promise<KafkaFrontend> {
    if (!this.#loading) {
      this.#loading = this.#load();
      // A module that failed to load stays failed in Node, so this is final. The other protocols go on.
      this.#loading.catch((error: unknown) =>
        this.#log.error('Kafka clients cannot be served: its code failed to load; start the broker again', {
          error,
        }),
      );
    }
    return this.#loading;
  }

  async #load(): Promise<KafkaFrontend> {
    const { KafkaFrontend } = await import('../protocols/kafka/index.ts');
    const broker = this.#broker;
    const { kafkaAdvertise, kafkaAutoCreate, kafkaPartitions } = this.#settings;
    const { kafkaProduceBytesMax, kafkaCommandBytesMax, kafkaElementsMax } = this.#settings;
    const user = userOf(this.#settings);
    const frontend = new KafkaFrontend({
      broker,
      clock: broker.clock,
      random: broker.random,
      hall: this.#hall,
      limits: {
        requestBytesMax: Math.max(kafkaProduceBytesMax, kafkaCommandBytesMax),
        commandBytesMax: kafkaCommandBytesMax,
        requestElementsMax: kafkaElementsMax,
        recreateDelayMs: this.#settings.kafkaRecreateDelayMs,
      },
      settings: parseKafkaSettings(this.#settings.kafkaConfig ?? ''),
      auth: user === undefined ? { kind: 'none' } : { kind: 'users', users: [user] },
      ...(kafkaAdvertise === undefined ? {} : { advertised: endpointOf(kafkaAdvertise) }),
      autoCreation: { enabled: kafkaAutoCreate, partitions: kafkaPartitions },
      report: (event) => this.#report(event),
    });
    this.#frontend = frontend;
    if (this.#isClosing) await frontend.close();
    return frontend;
  }

  #accept(socket: Socket): void {
    if (this.#frontend) return this.#frontend.accept(socket);
    const fail = (): void => void socket.destroy();
    socket.on('error', fail);
    this.load().then((frontend) => {
      socket.off('error', fail);
      if (!socket.destroyed) frontend.accept(socket);
    }, fail);
  }

  #report({ kind, connection, ...rest }: KafkaEvent): void {
    const { id, address, name } = connection;
    const isRoutine = !('reason' in rest) || !['slow-reader', 'error'].includes(rest.reason.kind);
    const say = isRoutine ? this.#log.debug : this.#log.warn;
    say(`Kafka connection ${kind}`, { id, address, name, ...rest });
  }

  async close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#isClosing = true;
    void this.#listener?.close();
    const frontend = await this.#loading?.catch(() => undefined);
    await frontend?.close(options);
  }
}

/** Who has set a user for NATS need not set it twice. */
function userOf(settings: Settings): { readonly user: string; readonly password: string } | undefined {
  const user = settings.kafkaUser ?? settings.natsUser;
  const password = settings.kafkaUser === undefined ? settings.natsPassword : settings.kafkaPassword;
  return user === undefined || password === undefined ? undefined : { user, password };
}

/** Certificate and key, both or none; that is checked before. */
async function readTls({ kafkaTlsCert, kafkaTlsKey }: Settings): Promise<TlsIdentity | undefined> {
  if (kafkaTlsCert === undefined || kafkaTlsKey === undefined) return undefined;
  const [certificate, key] = await Promise.all([readPem(kafkaTlsCert), readPem(kafkaTlsKey)]);
  return { certificate, key };
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ServerError(
      'configuration-invalid',
      `The TLS file ${path} for Kafka cannot be read (${systemErrorCode(error) ?? messageOf(error)}); check the path and its permissions.`,
      error,
    );
  }
}

/** `HOST:PORT`; the setting has checked its form. */
function endpointOf(text: string): Endpoint {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replaceAll(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}
