import type { NatsDoorSettings } from '../nats/settings.ts';
import { bothOrNone, connectionReporter, type Protocol, problemOfTls, tlsFilesOf } from '../protocol.ts';
import type { CommonSettings } from '../settings.ts';
import { userWithPassword, type User } from '../users/index.ts';
import { restoreUsers } from './kept-users.ts';
import { amqpDoorSettings, type AmqpDoorSettings } from './settings.ts';

/** The user of NATS is also the default user of AMQP. */
type SharedUser = Pick<NatsDoorSettings, 'natsUser' | 'natsPassword'>;

/** The settings that AMQP reads. */
type AmqpReads = AmqpDoorSettings & CommonSettings & SharedUser;

/** AMQP 0-9-1, as RabbitMQ speaks it. */
export const amqp: Protocol<AmqpDoorSettings, AmqpReads, 'amqp'> = {
  name: 'amqp',
  title: 'AMQP',
  settings: amqpDoorSettings,
  loginFlags: '--amqp-user and --amqp-password',
  port: ({ amqpPort }) => amqpPort,
  users: usersOf,
  restoreUsers,
  tls: ({ amqpTlsCert, amqpTlsKey, amqpTlsCa }) => tlsFilesOf(amqpTlsCert, amqpTlsKey, amqpTlsCa),
  problemOf: ({ amqpUser, amqpPassword, amqpTlsCert, amqpTlsKey, amqpTlsCa }) =>
    bothOrNone('AMQP authentication', ['--amqp-user', amqpUser], ['--amqp-password', amqpPassword]) ??
    problemOfTls(amqp, [amqpTlsCert, amqpTlsKey, amqpTlsCa]),
  addressOf: (endpoint) => `amqp://${endpoint}`,
  create: async ({ broker, hall, users, settings, log, tls }) => {
    const { AmqpFrontend } = await import('./index.ts');
    const frontend = new AmqpFrontend({
      broker,
      hall,
      limits: {
        payloadBytesMax: settings.maxPayloadBytes,
        ...(settings.amqpBindingsMax !== undefined && { bindingsMax: settings.amqpBindingsMax }),
      },
      users,
      ...(tls && { tls }),
      report: connectionReporter('AMQP', log, ['slow-consumer', 'error']),
    });
    await Promise.all((settings.amqpVhosts ?? []).map((name) => frontend.virtualHosts.create(name)));
    return frontend;
  },
};

function usersOf(settings: AmqpDoorSettings & SharedUser): User[] {
  const user = settings.amqpUser ?? settings.natsUser;
  const password = settings.amqpUser === undefined ? settings.natsPassword : settings.amqpPassword;
  return user === undefined || password === undefined ? [] : [userWithPassword('amqp', user, password)];
}
