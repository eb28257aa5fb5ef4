import type { NatsDoorSettings } from '../nats/settings.ts';
import { bothOrNone, type Protocol, problemOfTls, tlsFilesOf } from '../protocol.ts';
import type { CommonSettings } from '../settings.ts';
import { isAccessKeyId, type User, userWithAccessKey, userWithPassword } from '../users/index.ts';
import { sqsDoorSettings, type SqsDoorSettings } from './settings.ts';

/** The user of NATS is also the default user of SQS: its name is the access key, its password the secret. */
type SharedUser = Pick<NatsDoorSettings, 'natsUser' | 'natsPassword'>;

/** The settings that SQS reads. */
type SqsReads = SqsDoorSettings & CommonSettings & SharedUser;

/** Amazon SQS, in AWS JSON 1.0 and in Query, and SNS, in Query. */
export const sqs: Protocol<SqsDoorSettings, SqsReads, 'sqs'> = {
  name: 'sqs',
  title: 'SQS',
  settings: sqsDoorSettings,
  loginFlags: '--sqs-access-key and --sqs-secret-key',
  port: ({ sqsPort }) => sqsPort,
  users: usersOf,
  tls: ({ sqsTlsCert, sqsTlsKey, sqsTlsCa }) => tlsFilesOf(sqsTlsCert, sqsTlsKey, sqsTlsCa),
  problemOf: ({ sqsAccessKey, sqsSecretKey, sqsTlsCert, sqsTlsKey, sqsTlsCa }) =>
    bothOrNone(
      'SQS authentication',
      ['--sqs-access-key', sqsAccessKey],
      ['--sqs-secret-key', sqsSecretKey],
    ) ??
    problemOfKey(sqsAccessKey) ??
    problemOfTls(sqs, [sqsTlsCert, sqsTlsKey, sqsTlsCa]),
  addressOf: (endpoint) => `http://${endpoint}`,
  openRemark: 'any access key',
  create: async ({ broker, hall, users, settings, log, tls }) => {
    const { SqsFrontend } = await import('./index.ts');
    return new SqsFrontend({
      broker,
      hall,
      users,
      inFlightMax: settings.sqsInFlightMax,
      waits: { purgeMs: settings.sqsPurgeWaitMs, recreateMs: settings.sqsRecreateWaitMs },
      snsLimits: {
        messageBytesMax: settings.snsMessageBytesMax,
        topicsMax: settings.snsTopicsMax,
        subscriptionsMax: settings.snsSubscriptionsMax,
        subscriptionsOfFifoMax: settings.snsFifoSubscriptionsMax,
        filterPoliciesMax: settings.snsFilterPoliciesMax,
      },
      tls,
      report: (error, request) => log.warn('a request of SQS failed', { request, error }),
      reportUndelivered: (subscription, error) =>
        log.warn('a subscription of SNS cannot deliver messages', { subscription, error }),
    });
  },
};

function usersOf(settings: SqsDoorSettings & SharedUser): User[] {
  const { sqsAccessKey: id, sqsSecretKey: secret, natsUser: user, natsPassword: password } = settings;
  if (id !== undefined && secret !== undefined) return [userWithAccessKey('sqs', id, secret)];
  return user === undefined || password === undefined ? [] : [userWithPassword('sqs', user, password)];
}

function problemOfKey(id: string | undefined): string | undefined {
  return id === undefined || isAccessKeyId(id)
    ? undefined
    : '--sqs-access-key must be 1 to 128 letters, digits, - and _.';
}
