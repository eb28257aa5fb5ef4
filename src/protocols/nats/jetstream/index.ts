export type { ServerIdentity } from './context.ts';
export { PillarboxJetStream } from './jetstream.ts';
