import { textOf } from '../util/index.ts';
import { ValueError } from './errors.ts';
import { refuseLoss } from './json-loss.ts';
import { shownValue } from './options.ts';
import { describeIssues, plainIssues, type SchemaResult, type StandardSchema } from './schema.ts';

type MaybePromise<T> = T | Promise<T>;

/**
 * A codec turns values into the bytes of a message and back. `decode` throws on bytes that are not a value.
 * `null` stands for a message without a value (Kafka's tombstone).
 */
export interface Codec<In, Out = In> {
  encode(value: In): MaybePromise<Uint8Array | string>;
  decode(bytes: Uint8Array | null): MaybePromise<Out>;
}

export type AnyCodec = Codec<never, unknown>;
export type CodecInput<C extends AnyCodec> = C extends Codec<infer In, unknown> ? In : never;
export type CodecOutput<C extends AnyCodec> = C extends Codec<never, infer Out> ? Out : never;

/**
 * Values as JSON, the default of every topic. `json<Order>()` only names the type; a schema checks it.
 *
 * Strings are JSON too (`"hello"`, with quotes), so every value comes out as it went in. For bare text use
 * {@link text}, for bytes {@link bytes}. Values that JSON would lose silently are refused: a Map, a Set, NaN,
 * bytes, `undefined` in an array. As usual in JSON, a member that is undefined or a function is left out, and
 * `toJSON` is called (a Date becomes text).
 */
export function json<T = unknown>(): Codec<T> {
  return jsonCodec as Codec<T>;
}

const jsonCodec: Codec<unknown> = {
  encode(value) {
    if (value instanceof Uint8Array) {
      throw new ValueError(
        'Bytes are not JSON: open the topic with { codec: bytes } to publish them as they are.',
      );
    }
    const encoded = stringify(value);
    if (encoded === undefined) throw new ValueError(`A value of type ${typeof value} is not JSON.`);
    refuseLoss(value, encoded);
    return encoded;
  },
  decode(bytes) {
    if (bytes === null) return null;
    try {
      return JSON.parse(textOf(bytes, 0, bytes.length)) as unknown;
    } catch (error) {
      throw new ValueError(`The value is not JSON: ${(error as Error).message}`, [], error);
    }
  },
};

function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new ValueError(`The value is not JSON: ${(error as Error).message}`, [], error);
  }
}

function checkedPart<T>(value: T, fits: boolean, what: string): T {
  if (fits) return value;
  throw new ValueError(`The topic takes ${what}, not ${shownValue(value)}.`);
}

/** Encodes a value to bytes or text. Throws a ValueError if the codec returned another type. */
export function encodeBy(codec: AnyCodec, value: unknown): MaybePromise<Uint8Array | string> {
  const encoded = (codec as Codec<unknown>).encode(value);
  return encoded instanceof Promise ? encoded.then(checkedEncoding) : checkedEncoding(encoded);
}

function checkedEncoding(encoded: Uint8Array | string): Uint8Array | string {
  if (typeof encoded === 'string' || encoded instanceof Uint8Array) return encoded;
  throw new ValueError(`The codec must encode to text or bytes, not ${shownValue(encoded)}.`);
}

/** Values as text, in UTF-8. Invalid UTF-8 reads as U+FFFD. */
export const text: Codec<string> = {
  encode: (value) => checkedPart(value, typeof value === 'string', 'text'),
  decode: (bytes) => (bytes === null ? '' : textOf(bytes, 0, bytes.length)),
};

/** Values as plain bytes. */
export const bytes: Codec<Uint8Array> = {
  encode: (value) => checkedPart(value, value instanceof Uint8Array, 'bytes'),
  decode: (bytes) => bytes ?? new Uint8Array(0),
};

/**
 * JSON that is checked against a schema when published and again when consumed. The value is stored as it was
 * published; defaults and conversions of the schema apply when it is consumed.
 */
export function schemaCodec<In, Out>(schema: StandardSchema<In, Out>): Codec<In, Out> {
  const { validate } = schema['~standard'];
  return {
    encode(value) {
      const result = validate(value);
      if (!(result instanceof Promise)) return encodeChecked(value, result);
      return result.then((result) => encodeChecked(value, result));
    },
    decode(bytes) {
      const result = validate(jsonCodec.decode(bytes));
      return result instanceof Promise ? result.then(checked) : checked(result);
    },
  };
}

function encodeChecked<Out>(value: unknown, result: SchemaResult<Out>): string {
  checked(result);
  return jsonCodec.encode(value) as string;
}

function checked<Out>(result: SchemaResult<Out>): Out {
  if (!result.issues) return result.value;
  const issues = plainIssues(result.issues);
  throw new ValueError(`The value does not fit the schema: ${describeIssues(issues)}`, issues);
}
