export { PillarboxJetStream } from './jetstream.ts';
