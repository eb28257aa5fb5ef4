export { decompress } from './decompress.ts';
export { noteRefusal, refusalCounts } from './refusal-counts.ts';
export {
  Door,
  Hall,
  Listener,
  Task,
  inTurns,
  type TurnTaker,
  type ConnectionRegistry,
  TlsGuard,
  type TlsIdentity,
} from './connections/index.ts';
export type { Frontend, ListenOptions } from './frontend.ts';
export { usersOfSettings } from './users-of-settings.ts';
export {
  Users,
  hashPassword,
  iterationsMax,
  iterationsMin,
  parseUsers,
  type User,
  type Access,
  type Login,
  certificateNames,
  fullAccess,
  noAccess,
  type TopicAction,
} from './users/index.ts';
export {
  HttpError,
  HttpFrontend,
  type HttpReply,
  type HttpRequest,
  checkOrigin,
  findRoute,
  jsonPieces,
  type Route,
} from './http/index.ts';
export { attributesWithPastSubjects } from './nats/jetstream/past-subjects.ts';
export { problemOfTls, tlsFilesOf } from './protocol.ts';
export type { TlsFiles } from './protocol.ts';
export { protocols, type AnyProtocol } from './protocols.ts';
