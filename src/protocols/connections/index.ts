export type { Connection, ConnectionInfo } from './connection.ts';
export { Hall } from './hall.ts';
export { Listener } from './listener.ts';
export type { LoginThrottle } from './login-throttle.ts';
export type { ConnectionRegistry } from './registry.ts';
export { Sessions } from './sessions.ts';
export { readShared } from './shared-reads.ts';
export type { TlsIdentity } from './tls.ts';
export { Turn, Turns, turnMs } from './turns.ts';
