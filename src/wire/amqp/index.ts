export { WireError, type WireErrorCode } from './errors.ts';
export {
  FrameParser,
  FrameType,
  frameEnd,
  frameHeadBytes,
  frameOverheadBytes,
  protocolHeader,
  type FrameSink,
} from './frame-parser.ts';
export { contentSize, heartbeatFrame, methodFrame, writeContent, writeFrameHead } from './frame-writer.ts';
export { readArguments, type Arguments, type Method } from './method.ts';
export * as methods from './methods.ts';
export { methodOf } from './methods.ts';
export {
  encodeProperties,
  readContentHeader,
  readProperties,
  type Properties,
  type PropertyName,
} from './properties.ts';
export { withHeaders, withReplyTo } from './property-edits.ts';
export { Reader } from './reader.ts';
export {
  Decimal,
  encodeTable,
  isTable,
  readTable,
  tableDepthMax,
  Timestamp,
  type FieldTable,
  type FieldValue,
} from './table.ts';
