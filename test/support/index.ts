export { type EventuallyOptions, eventually } from './eventually.ts';
export { GoProgram } from './go-program.ts';
export {
  type ServerKind,
  type StartServerOptions,
  type ServerConfiguration,
  type TestServer,
  comparedPath,
  oraclePath,
  serverKind,
  startServer,
  useServer,
} from './server.ts';
export { parallel } from './parallel.ts';
export { PoisonedBlocks } from './poisoned-blocks.ts';
export { type TemporaryDirectory, makeTemporaryDirectory } from './temporary-directory.ts';
export { uniqueName } from './unique-name.ts';
export { type KeepAlive, WireClient } from './wire-client.ts';
export { SteppedClock } from './stepped-clock.ts';
