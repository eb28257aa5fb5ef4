import { type Protocol, problemOfTls, tlsFilesOf } from '../protocol.ts';
import type { CommonSettings } from '../settings.ts';
import { sqsDoorSettings, type SqsDoorSettings } from './settings.ts';

/** Amazon SQS, in AWS JSON 1.0. */
export const sqs: Protocol<SqsDoorSettings, SqsDoorSettings & CommonSettings, 'sqs'> = {
  name: 'sqs',
  title: 'SQS',
  settings: sqsDoorSettings,
  loginFlags: '"users" of the configuration file',
  port: ({ sqsPort }) => sqsPort,
  users: () => [],
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
    });
  },
};
