// What the embedded API shares with the client of `pillarbox/client`: values, headers, options and errors. It
// loads no broker.
export {
  bytes,
  encodeBy,
  json,
  schemaCodec,
  text,
  type AnyCodec,
  type Codec,
  type CodecInput,
  type CodecOutput,
} from './codec.ts';
export { BoxError, PostponeError, RejectError, RetryError, ValueError, type ValueIssue } from './errors.ts';
export { headerList, MessageHeaders, type HeadersInit } from './headers.ts';
export * as checks from './options.ts';
export type { Checks } from './options.ts';
export type { SchemaInput, SchemaOutput, StandardSchema } from './schema.ts';
export { FailureWarnings } from './warning.ts';
