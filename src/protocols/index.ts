export { decompress } from './decompress.ts';
export { createTlsServer, type TlsIdentity } from './tls.ts';
export { Turns } from './turns.ts';
export { backlogMax, type Frontend, type ListenOptions } from './frontend.ts';
export {
  NatsFrontend,
  PillarboxJetStream,
  natsVersion,
  type ConnectionInfo,
  type NatsAuth,
  type NatsEvent,
  type NatsLimits,
  type NatsOptions,
  type ServerIdentity,
} from './nats/index.ts';
