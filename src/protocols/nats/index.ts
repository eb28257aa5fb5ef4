export { NatsFrontend, type NatsEvent, type NatsOptions } from './nats-frontend.ts';
export type { NatsConnectionInfo } from './session.ts';
export { natsApiLevel, natsVersion } from './info.ts';
export type { JetStream, NatsSession } from './jetstream-door.ts';
export { PillarboxJetStream, type ServerIdentity } from './jetstream/index.ts';
export { defaultLimits, natsLimits, type NatsLimits } from './limits.ts';
