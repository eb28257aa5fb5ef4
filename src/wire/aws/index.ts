export { arnText, parseArn, type Arn } from './arn.ts';
export { AwsError } from './error.ts';
export type { AwsErrorName } from './error-kinds.ts';
export {
  FilterError,
  filterLimits,
  FilterInput,
  FilterPolicy,
  type FilteredAttribute,
  type FilterScope,
} from './filter/index.ts';
export { Form } from './form.ts';
export { jsonRefusal, jsonReply, readJson, readTarget, writeJson } from './json.ts';
export { limits } from './limits.ts';
export { md5OfAttributes, md5OfText, type HashedAttribute } from './md5.ts';
export { isMessageText } from './message-text.ts';
export {
  isSnsAction,
  isSqsAction,
  snsOperations,
  sqsOperations,
  type Operation,
  type Service,
  type SnsAction,
  type SnsInput,
  type SnsOutput,
  type SqsAction,
  type SqsInput,
  type SqsOutput,
} from './operations/index.ts';
export {
  evaluatePolicy,
  parsePolicy,
  PolicyError,
  policyLimits,
  type Context,
  type Policy,
  type PolicyRequest,
  type Principal,
  type Verdict,
} from './policy/index.ts';
export { readAction, readForm } from './query.ts';
export type { WireReply } from './reply.ts';
export type { Members, Structure } from './shapes.ts';
export { type Credential, type SignableRequest } from './signing/canonical.ts';
export { readClaim, type Claim } from './signing/claim.ts';
export { presignTarget, signRequest, type SigningOptions } from './signing/sign.ts';
export { SignatureVerifier, type SignatureOptions } from './signing/verify.ts';
export { xmlRefusal, xmlReply } from './xml.ts';
