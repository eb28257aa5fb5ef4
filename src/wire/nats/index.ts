export { copyBytes, decimalSize, writeDecimal, writeLatin1 } from './bytes.ts';
export { WireError, type WireErrorCode } from './errors.ts';
export { FrameWriter } from './frame-writer.ts';
export { Frame, type ClientVerb, type Handlers, type ServerVerb, type Verb } from './frame.ts';
export {
  HeaderScanner,
  decodeHeaders,
  decodeStatus,
  encodeHeaders,
  headersSize,
  natsHeaders,
  storedHeaders,
  writeHeaders,
} from './headers.ts';
export { decodeConnect, decodeInfo, type ConnectOptions, type ServerInfo } from './json.ts';
export { decodeUserKey, encodeUserKey, isPublicUserKey } from './nkey.ts';
export { verbatimName } from './verbatim-headers.ts';
export { Parser, type ParserLimits } from './parser.ts';
