export { NatsFrontend, type NatsEvent, type NatsOptions } from './nats-frontend.ts';
export { natsApiLevel, natsVersion } from './info.ts';
export type { JetStream, NatsSession } from './jetstream-door.ts';
export { PillarboxJetStream } from './jetstream/index.ts';
export { natsLimits } from './limits.ts';
