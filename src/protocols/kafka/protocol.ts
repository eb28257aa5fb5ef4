import type { NatsDoorSettings } from '../nats/settings.ts';
import {
  bothOrNone,
  connectionReporter,
  problemOfTls,
  tlsFilesOf,
  type Protocol,
  type TlsFiles,
} from '../protocol.ts';
import type { CommonSettings } from '../settings.ts';
import { kafkaDoorSettings, type KafkaDoorSettings } from './settings.ts';
import type { Endpoint } from './kafka-host.ts';
import { parseKafkaSettings } from './kafka-settings.ts';
import { restoreUsers } from './security/restore-users.ts';
import { userWithPassword, type User } from '../users/index.ts';

/** The user of NATS is also the default user of Kafka. */
type SharedUser = Pick<NatsDoorSettings, 'natsUser' | 'natsPassword'>;

/** The settings that Kafka reads. */
type KafkaReads = KafkaDoorSettings & CommonSettings & SharedUser;

/** Kafka, as the one broker of a cluster. */
export const kafka: Protocol<KafkaDoorSettings, KafkaReads, 'kafka'> = {
  name: 'kafka',
  title: 'Kafka',
  settings: kafkaDoorSettings,
  loginFlags: '--kafka-user and --kafka-password',
  port: ({ kafkaPort }) => kafkaPort,
  users: usersOf,
  restoreUsers,
  tls: tlsOf,
  problemOf: ({ kafkaUser, kafkaPassword, kafkaTlsCert, kafkaTlsKey, kafkaTlsCa, kafkaConfig }) =>
    bothOrNone('Kafka authentication', ['--kafka-user', kafkaUser], ['--kafka-password', kafkaPassword]) ??
    problemOfTls(kafka, [kafkaTlsCert, kafkaTlsKey, kafkaTlsCa]) ??
    problemOfConfig(kafkaConfig),
  addressOf: (endpoint) => endpoint,
  create: async ({ broker, hall, users, settings, log, tls }) => {
    const { KafkaFrontend } = await import('./index.ts');
    const { kafkaAdvertise, kafkaProduceBytesMax, kafkaCommandBytesMax } = settings;
    return new KafkaFrontend({
      broker,
      clock: broker.clock,
      random: broker.random,
      hall,
      limits: {
        requestBytesMax: Math.max(kafkaProduceBytesMax, kafkaCommandBytesMax),
        commandBytesMax: kafkaCommandBytesMax,
        requestElementsMax: settings.kafkaElementsMax,
        autoCreationsMax: settings.kafkaAutoCreationsMax,
        recreateDelayMs: settings.kafkaRecreateDelayMs,
      },
      settings: parseKafkaSettings(settings.kafkaConfig ?? ''),
      users,
      ...(tls && { tls }),
      ...(kafkaAdvertise === undefined ? {} : { advertised: endpointOf(kafkaAdvertise) }),
      autoCreation: { enabled: settings.kafkaAutoCreate, partitions: settings.kafkaPartitions },
      report: connectionReporter('Kafka', log, ['slow-reader', 'error']),
    });
  },
};

function usersOf(settings: KafkaDoorSettings & SharedUser): User[] {
  const user = settings.kafkaUser ?? settings.natsUser;
  const password = settings.kafkaUser === undefined ? settings.natsPassword : settings.kafkaPassword;
  return user === undefined || password === undefined ? [] : [userWithPassword('kafka', user, password)];
}

/** Files for TLS; `ssl.client.auth` decides how client certificates are used. */
function tlsOf({
  kafkaTlsCert,
  kafkaTlsKey,
  kafkaTlsCa,
  kafkaConfig,
}: KafkaDoorSettings): TlsFiles | undefined {
  const asked = parseKafkaSettings(kafkaConfig ?? '')['ssl.client.auth'];
  const files = tlsFilesOf(kafkaTlsCert, kafkaTlsKey, asked === 'none' ? undefined : kafkaTlsCa);
  return files && asked === 'requested' ? { ...files, clientCertificates: asked } : files;
}

function problemOfConfig(text: string | undefined): string | undefined {
  try {
    parseKafkaSettings(text ?? '');
    return undefined;
  } catch (error) {
    return `--kafka-config cannot be read: ${error instanceof Error ? error.message : String(error)}.`;
  }
}

/** `HOST:PORT`; the setting has checked its form. */
function endpointOf(text: string): Endpoint {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replaceAll(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}
