import type { NatsDoorSettings } from '../nats/settings.ts';
import { type Protocol, problemOfTls, tlsFilesOf } from '../protocol.ts';
import type { CommonSettings } from '../settings.ts';
import { userWithPassword } from '../users/index.ts';
import { sqsDoorSettings, type SqsDoorSettings } from './settings.ts';

/** The user of NATS is also a user of SQS: its name is the access key, its password the secret key. */
type SharedUser = Pick<NatsDoorSettings, 'natsUser' | 'natsPassword'>;

/** The settings that SQS reads. */
type SqsReads = SqsDoorSettings & CommonSettings & SharedUser;

/** Amazon SQS, in AWS JSON 1.0 and in Query. */
export const sqs: Protocol<SqsDoorSettings, SqsReads, 'sqs'> = {
  name: 'sqs',
  title: 'SQS',
  settings: sqsDoorSettings,
  loginFlags: '--nats-user and --nats-password',
  port: ({ sqsPort }) => sqsPort,
  users: ({ natsUser: user, natsPassword: password }) =>
    user === undefined || password === undefined ? [] : [userWithPassword('sqs', user, password)],
  tls: ({ sqsTlsCert, sqsTlsKey, sqsTlsCa }) => tlsFilesOf(sqsTlsCert, sqsTlsKey, sqsTlsCa),
  problemOf: ({ sqsTlsCert, sqsTlsKey, sqsTlsCa }) => problemOfTls(sqs, [sqsTlsCert, sqsTlsKey, sqsTlsCa]),
  addressOf: (endpoint) => `http://${endpoint}`,
  create: async ({ broker, hall, users, settings, log, tls }) => {
    const { SqsFrontend } = await import('./index.ts');
    return new SqsFrontend({
      broker,
      hall,
      users,
      inFlightMax: settings.sqsInFlightMax,
      tls,
      report: (error, request) => log.warn('a request of SQS failed', { request, error }),
      reportUndelivered: (subscription, error) =>
        log.warn('a subscription of SNS cannot deliver messages', { subscription, error }),
    });
  },
};
