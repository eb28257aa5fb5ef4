import { AwsError, isMessageText } from '../../wire/aws/index.ts';
import { invalidParameter } from './errors.ts';
import { sqsLimits } from './limits.ts';
import type { MessageAttribute } from './stored-message.ts';

// What SQS checks of a message before it takes it, with its own texts.

/** Throws InvalidMessageContents for a body with characters that SQS does not allow. */
export function checkBody(body: string): void {
  if (isMessageText(body)) return;
  throw new AwsError(
    'InvalidMessageContents',
    'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF',
  );
}

/** A group, a deduplication id, an attempt id: `[0-9a-zA-Z]` and punctuation, 1 to 128 of them. */
export function checkId(name: string, value: string | undefined): void {
  if (value === undefined || /^[!-~]{1,128}$/.test(value)) return;
  throw invalidParameter(
    name,
    value,
    `${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
  );
}

export function checkDelay(delay: number): void {
  if (delay >= 0 && delay <= sqsLimits.delayMax) return;
  throw invalidParameter('DelaySeconds', delay, `DelaySeconds must be >= 0 and <= ${sqsLimits.delayMax}.`);
}

/** Throws InvalidParameterValue for attributes that SQS does not allow. */
export function checkAttributes(attributes: ReadonlyMap<string, MessageAttribute>): void {
  const { attributesMax } = sqsLimits;
  if (attributes.size > attributesMax)
    throw invalid(
      `Number of message attributes [${attributes.size}] exceeds the allowed maximum [${attributesMax}].`,
    );
  for (const [name, attribute] of attributes) {
    checkAttributeName(name);
    checkAttributeValue(name, attribute);
  }
}

function checkAttributeName(name: string): void {
  if (name.length === 0 || Buffer.byteLength(name) > 256)
    throw invalid('Message (user) attribute names must be shorter than 256 Bytes');
  if (!/^[\p{L}\p{N}_.-]+$/u.test(name))
    throw invalid(
      'Message (user) attributes name can only contain upper and lower score characters, digits, periods, hyphens and underscores. ',
    );
  if (/^(aws\.|amazon\.|\.)|\.$|\.\./i.test(name))
    throw invalid(
      "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use. Additionally, they cannot start or end with '.'.",
    );
}

function checkAttributeValue(name: string, { DataType, StringValue, BinaryValue }: MessageAttribute): void {
  const [, type] = /^(String|Number|Binary)(?:\..+)?$/.exec(DataType) ?? [];
  if (type === undefined)
    throw invalid(
      `The type of message (user) attribute '${name}' is invalid. You must use only the following supported type prefixes: Binary, Number, String.`,
    );
  if (Buffer.byteLength(DataType) > 256)
    throw invalid('Message (user) attribute types must be shorter than 256 Bytes');
  const value = type === 'Binary' ? BinaryValue : StringValue;
  if (value === undefined || value.length === 0)
    throw invalid(`Message (user) attribute '${name}' must contain a non-empty value of type '${type}'.`);
  if (typeof value !== 'string') return;
  if (!isMessageText(value))
    throw invalid(
      `Invalid characters found in the value of message (user) attribute '${name}'. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF`,
    );
  if (type === 'Number' && !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$/.test(value))
    throw invalid(`Can't cast the value of message (user) attribute '${name}' to a number.`);
}

/** The bytes of a message as SQS counts them: the body, and names, types and values of attributes. */
export function messageBytes(body: string, attributes: ReadonlyMap<string, MessageAttribute>): number {
  let bytes = Buffer.byteLength(body);
  for (const [name, { DataType, StringValue = '', BinaryValue }] of attributes)
    bytes +=
      Buffer.byteLength(name) +
      Buffer.byteLength(DataType) +
      (BinaryValue?.length ?? Buffer.byteLength(StringValue));
  return bytes;
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValue', message);
}
