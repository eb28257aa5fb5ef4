import { readFile } from 'node:fs/promises';
import type { Broker } from '../broker/index.ts';
import { KafkaFrontend, type Endpoint, type KafkaTls } from '../protocols/kafka/index.ts';
import { ServerError, messageOf, systemErrorCode } from './errors.ts';
import type { Door } from './frontends.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';

/** Kafka, as the settings want it. A file of its own, because it is loaded when the others listen already. */
export async function createKafkaFrontend(broker: Broker, settings: Settings, log: Log): Promise<Door> {
  const { kafkaAdvertise, kafkaAutoCreate, kafkaPartitions } = settings;
  // Who has set a user for NATS need not set it twice.
  const user = settings.kafkaUser ?? settings.natsUser;
  const password = settings.kafkaUser === undefined ? settings.natsPassword : settings.kafkaPassword;
  const tls = await readTls(settings);
  return new KafkaFrontend({
    broker,
    clock: broker.clock,
    random: broker.random,
    auth:
      user !== undefined && password !== undefined
        ? { kind: 'users', users: [{ user, password }] }
        : { kind: 'none' },
    ...(tls === undefined ? {} : { tls }),
    ...(kafkaAdvertise === undefined ? {} : { advertised: endpointOf(kafkaAdvertise) }),
    autoCreation: { enabled: kafkaAutoCreate, partitions: kafkaPartitions },
    report: ({ kind, connection, ...rest }) => {
      const { id, address, name } = connection;
      const isRoutine = !('reason' in rest) || !['slow-reader', 'error'].includes(rest.reason.kind);
      const say = isRoutine ? log.debug : log.warn;
      say(`Kafka connection ${kind}`, { id, address, name, ...rest });
    },
  });
}

/** Certificate and key, both or none; that is checked before. */
async function readTls({ kafkaTlsCert, kafkaTlsKey }: Settings): Promise<KafkaTls | undefined> {
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
