import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs';
import type { Header } from '../../../broker/index.ts';
import { textOf } from '../../../util/index.ts';
import type { StoredMessage } from '../../driver.ts';
import { isLetterHeader } from '../letter-headers.ts';

/**
 * The one attribute of a message: what SQS has no place for, as JSON. SQS takes ten attributes, a message has
 * any number of headers.
 */
const envelopeName = 'Pillarbox';

interface Envelope {
  readonly id: string;
  readonly key?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** The body is base64: it is no text that XML can have, or is empty. */
  readonly base64?: true;
}

/** Bodies that SQS takes as they are: characters of XML 1.0. */
const plain = /^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]+$/u;

/** The parts of a message as SQS takes them. */
export function sqsMessage(
  id: string,
  key: string | undefined,
  headers: readonly Header[],
  value: Uint8Array | string,
): { MessageBody: string; MessageAttributes: Record<string, MessageAttributeValue> } {
  const text = typeof value === 'string' ? value : utf8Of(value);
  const isPlain = text !== undefined && plain.test(text);
  const envelope: Envelope = {
    id,
    ...(key === undefined ? {} : { key }),
    ...(headers.length === 0 ? {} : { headers: headers.map(pairOf) }),
    ...(isPlain ? {} : { base64: true }),
  };
  return {
    // An empty body is not allowed either; `=` reads as no bytes.
    MessageBody: isPlain ? text : Buffer.from(value as Uint8Array).toString('base64') || '=',
    MessageAttributes: {
      [envelopeName]: { DataType: 'String', StringValue: ascii(JSON.stringify(envelope)) },
    },
  };
}

/** The envelope of a message; of one that another program sent, as far as it can be known. */
function envelopeOf({ MessageAttributes, MessageId = '' }: Message): Envelope {
  const text = MessageAttributes?.[envelopeName]?.StringValue;
  return text === undefined ? { id: MessageId } : (JSON.parse(text) as Envelope);
}

export function headersOf(message: Message): Header[] {
  const { headers = [] } = envelopeOf(message);
  return headers.map(([name, value]) => ({ name, value: Buffer.from(value, 'utf8') }));
}

export function stored(topic: string, message: Message): StoredMessage {
  const { id, key, base64 } = envelopeOf(message);
  const body = message.Body ?? '';
  return {
    topic,
    partition: 0,
    offset: -1,
    id,
    key,
    headers: headersOf(message).filter((header) => !isLetterHeader(header)),
    bytes: Buffer.from(body, base64 === true ? 'base64' : 'utf8'),
    timestampMs: Number(message.Attributes?.SentTimestamp ?? 0),
  };
}

function pairOf({ name, value }: Header): [string, string] {
  return [name, value === null ? '' : textOf(value, 0, value.length)];
}

function utf8Of(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** JSON without control characters and with escapes, which every SQS takes in an attribute. */
function ascii(json: string): string {
  return json.replaceAll(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
