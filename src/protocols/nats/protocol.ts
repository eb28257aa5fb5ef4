import { bothOrNone, connectionReporter, type Protocol, problemOfTls, tlsFilesOf } from '../protocol.ts';
import type { CommonSettings } from '../settings.ts';
import { natsDoorSettings, type NatsDoorSettings } from './settings.ts';
import type { NatsAuth } from './auth.ts';

/** NATS, core and JetStream. */
export const nats: Protocol<NatsDoorSettings, NatsDoorSettings & CommonSettings, 'nats'> = {
  name: 'nats',
  title: 'NATS',
  settings: natsDoorSettings,
  loginFlags: '--nats-user and --nats-password, or --nats-token,',
  port: ({ natsPort }) => natsPort,
  authenticates: (settings) => authOf(settings).kind !== 'none',
  tls: ({ natsTlsCert, natsTlsKey, natsTlsCa }) => tlsFilesOf(natsTlsCert, natsTlsKey, natsTlsCa),
  problemOf: ({ natsUser, natsPassword, natsTlsCert, natsTlsKey, natsTlsCa }) =>
    bothOrNone('NATS authentication', ['--nats-user', natsUser], ['--nats-password', natsPassword]) ??
    problemOfTls(nats, [natsTlsCert, natsTlsKey, natsTlsCa]),
  addressOf: (endpoint) => `nats://${endpoint}`,
  exampleOf: (endpoint) => `with any NATS client, such as: nats --server ${endpoint} pub orders.new hello`,
  create: async ({ broker, hall, settings, log, tls }) => {
    const { NatsFrontend, PillarboxJetStream, natsApiLevel, natsVersion } = await import('./index.ts');
    const serverName = 'pillarbox';
    const identity = { name: serverName, version: natsVersion, apiLevel: natsApiLevel };
    return new NatsFrontend({
      router: broker.router,
      jetStream: new PillarboxJetStream(broker, identity),
      clock: broker.clock,
      random: broker.random,
      hall,
      serverName,
      limits: { payloadBytesMax: settings.maxPayloadBytes },
      auth: authOf(settings),
      ...(tls && { tls, tlsFirst: settings.natsTlsFirst }),
      report: connectionReporter('NATS', log, ['slow-consumer']),
    });
  },
};

function authOf({ natsUser, natsPassword, natsToken }: NatsDoorSettings): NatsAuth {
  if (natsToken !== undefined) return { kind: 'token', token: natsToken };
  return natsUser !== undefined && natsPassword !== undefined
    ? { kind: 'users', users: [{ user: natsUser, password: natsPassword }] }
    : { kind: 'none' };
}
