export { Access, accessOf, fullAccess, noAccess } from './access.ts';
export type { Login, Proof } from './login.ts';
export { defaultDigestAlgorithm, parseDigest } from './password-digest.ts';
export {
  defaultIterations,
  deriveKeys,
  fitsKeys,
  hashBytes,
  hashPassword,
  iterationsMax,
  iterationsMin,
  keysOfSalted,
  looksLikeVerifier,
  makeVerifier,
  parseVerifier,
  scramHashes,
  verifierText,
  type PasswordVerifier,
  type ScramHash,
  type ScramKeys,
} from './password-verifier.ts';
export {
  matchesTopic,
  topicActions,
  type NatsPermissions,
  type ResponsePermission,
  type Rules,
  type TopicAction,
  type TopicPermissions,
} from './permissions.ts';
export { certificateNames, certificateSubject } from './certificate-names.ts';
export { checkUnique, isAccessKeyId, parseUsers } from './configured-users.ts';
export { mayUseProtocol, userWithAccessKey, userWithPassword, type Password, type User } from './user.ts';
export { Users, userNameCharactersMax, type Grant } from './users.ts';
