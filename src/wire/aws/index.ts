export { parseArn } from './arn.ts';
export { AwsError } from './error.ts';
export type { AwsErrorName } from './error-kinds.ts';
export {
  FilterError,
  FilterInput,
  FilterPolicy,
  type FilteredAttribute,
  type FilterScope,
} from './filter/index.ts';
export { Form } from './form.ts';
export { jsonRefusal, jsonReply, readJson, readTarget, writeJson } from './json.ts';
export { limits } from './limits.ts';
export { md5OfAttributes, md5OfText } from './md5.ts';
export { isMessageText } from './message-text.ts';
export {
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
  type Context,
  type Policy,
  type PolicyRequest,
  type Verdict,
} from './policy/index.ts';
export { readAction, readForm } from './query.ts';
export type { WireReply } from './reply.ts';
export type { Members, Structure } from './shapes.ts';
export { type SignableRequest } from './signing/canonical.ts';
export { readClaim, type Claim } from './signing/claim.ts';
export { presignTarget, signRequest } from './signing/sign.ts';
export { SignatureVerifier, type SignatureOptions } from './signing/verify.ts';
export { xmlRefusal, xmlReply } from './xml.ts';
