import type { Broker } from '../broker/index.ts';
import {
  type ConnectionInfo,
  type Frontend,
  type Hall,
  NatsFrontend,
  PillarboxJetStream,
  natsApiLevel,
  natsVersion,
} from '../protocols/index.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';

export { Hall } from '../protocols/index.ts';
export { KafkaDoor } from './kafka-door.ts';

/** A frontend that can tell who is connected. */
export interface Door extends Frontend {
  listConnections(): readonly ConnectionInfo[];
}

/** NATS, core and JetStream, as the settings want it. */
export function createNatsFrontend(broker: Broker, hall: Hall, settings: Settings, log: Log): Door {
  const { natsUser, natsPassword, natsToken, maxPayloadBytes } = settings;
  const serverName = 'pillarbox';
  const jetStream = new PillarboxJetStream(broker, {
    name: serverName,
    version: natsVersion,
    apiLevel: natsApiLevel,
  });
  return new NatsFrontend({
    router: broker.router,
    jetStream,
    clock: broker.clock,
    random: broker.random,
    hall,
    serverName,
    limits: { payloadBytesMax: maxPayloadBytes },
    auth:
      natsToken !== undefined
        ? { kind: 'token', token: natsToken }
        : natsUser !== undefined && natsPassword !== undefined
          ? { kind: 'users', users: [{ user: natsUser, password: natsPassword }] }
          : { kind: 'none' },
    report: ({ kind, connection, ...rest }) => {
      const { id, address, name } = connection;
      const isRoutine = !('reason' in rest) || rest.reason.kind !== 'slow-consumer';
      const say = isRoutine ? log.debug : log.warn;
      say(`NATS connection ${kind}`, { id, address, name, ...rest });
    },
  });
}
