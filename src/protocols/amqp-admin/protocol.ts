import type { AmqpFrontend } from '../amqp/index.ts';
import type { AmqpDoorSettings } from '../amqp/settings.ts';
import { type Protocol, problemOfTls, tlsFilesOf } from '../protocol.ts';
import type { CommonSettings } from '../settings.ts';
import { amqpAdminDoorSettings, type AmqpAdminDoorSettings } from './settings.ts';

/** The settings that the management API reads. */
type AmqpAdminReads = AmqpAdminDoorSettings & CommonSettings & Pick<AmqpDoorSettings, 'amqpPort'>;

/** RabbitMQ's management API: HTTP beside AMQP, for the users and about the objects of AMQP. */
export const amqpAdmin: Protocol<AmqpAdminDoorSettings, AmqpAdminReads, 'amqpAdmin'> = {
  name: 'amqpAdmin',
  title: 'AMQP admin',
  settings: amqpAdminDoorSettings,
  loginFlags: '--amqp-user and --amqp-password',
  usersOf: 'amqp',
  port: ({ amqpPort, amqpAdminPort }) => (amqpPort === 'off' ? 'off' : amqpAdminPort),
  users: () => [],
  tls: ({ amqpAdminTlsCert, amqpAdminTlsKey, amqpAdminTlsCa }) =>
    tlsFilesOf(amqpAdminTlsCert, amqpAdminTlsKey, amqpAdminTlsCa),
  problemOf: ({ amqpAdminTlsCert, amqpAdminTlsKey, amqpAdminTlsCa }) =>
    problemOfTls({ title: 'AMQP admin', name: 'amqp-admin' }, [
      amqpAdminTlsCert,
      amqpAdminTlsKey,
      amqpAdminTlsCa,
    ]),
  addressOf: (endpoint) => `http://${endpoint}`,
  create: async ({ hall, users, log, tls, version, frontendOf }) => {
    const [{ AmqpAdminFrontend }, frontend] = await Promise.all([import('./index.ts'), frontendOf('amqp')]);
    return new AmqpAdminFrontend({
      // The table of protocols says what the door of AMQP makes.
      amqp: (frontend as AmqpFrontend).managed,
      hall,
      users,
      version,
      tls,
      report: (error, request) => log.warn('a request of the management API failed', { request, error }),
    });
  },
};
