export { decompress } from './decompress.ts';
export {
  Hall,
  Listener,
  type Connection,
  type ConnectionInfo,
  type ConnectionRegistry,
  type TlsIdentity,
} from './connections/index.ts';
export type { Frontend, ListenOptions } from './frontend.ts';
export {
  NatsFrontend,
  PillarboxJetStream,
  natsApiLevel,
  natsVersion,
  type NatsAuth,
  type NatsEvent,
  type NatsLimits,
  type NatsOptions,
  type ServerIdentity,
} from './nats/index.ts';
export { parseKafkaSettings } from './kafka-settings.ts';
