import { bothOrNone, connectionReporter, type Protocol, problemOfTls, tlsFilesOf } from '../protocol.ts';
import type { CommonSettings } from '../settings.ts';
import { natsDoorSettings, type NatsDoorSettings } from './settings.ts';
import { userWithPassword, type User } from '../users/index.ts';

/** NATS, core and JetStream. */
export const nats: Protocol<NatsDoorSettings, NatsDoorSettings & CommonSettings, 'nats'> = {
  name: 'nats',
  title: 'NATS',
  settings: natsDoorSettings,
  loginFlags: '--nats-user and --nats-password, or --nats-token,',
  port: ({ natsPort }) => natsPort,
  users: shorthands,
  tls: ({ natsTlsCert, natsTlsKey, natsTlsCa }) => tlsFilesOf(natsTlsCert, natsTlsKey, natsTlsCa),
  problemOf: ({ natsUser, natsPassword, natsTlsCert, natsTlsKey, natsTlsCa }) =>
    bothOrNone('NATS authentication', ['--nats-user', natsUser], ['--nats-password', natsPassword]) ??
    problemOfTls(nats, [natsTlsCert, natsTlsKey, natsTlsCa]),
  addressOf: (endpoint) => `nats://${endpoint}`,
  exampleOf: (endpoint) => `with any NATS client, such as: nats --server ${endpoint} pub orders.new hello`,
  create: async ({ broker, hall, users, settings, log, tls, version }) => {
    const { NatsFrontend, PillarboxJetStream, natsApiLevel, natsVersion } = await import('./index.ts');
    const serverName = 'pillarbox';
    const identity = { name: serverName, version: natsVersion, apiLevel: natsApiLevel };
    const jetStream = new PillarboxJetStream(broker, identity);
    await jetStream.loadSchedules();
    return new NatsFrontend({
      router: broker.router,
      jetStream,
      clock: broker.clock,
      random: broker.random,
      hall,
      serverName,
      version,
      limits: { payloadBytesMax: settings.maxPayloadBytes },
      users,
      ...(tls && { tls, tlsFirst: settings.natsTlsFirst }),
      report: connectionReporter('NATS', log, ['slow-consumer']),
    });
  },
};

/** The user of `nats-token`, or else of `nats-user`. */
function shorthands({ natsUser, natsPassword, natsToken }: NatsDoorSettings): readonly User[] {
  if (natsToken !== undefined) {
    const credentials = { token: natsToken };
    return [{ name: tokenUser, credentials, permissions: undefined, protocols: new Set(['nats']) }];
  }
  return natsUser !== undefined && natsPassword !== undefined
    ? [userWithPassword('nats', natsUser, natsPassword)]
    : [];
}

/** The name of the user for `nats-token`. */
const tokenUser = 'nats-token';
