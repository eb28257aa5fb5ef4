import type { MessageAttribute } from '../sqs/stored-message.ts';

/** What the envelope of a message says. */
export interface EnvelopeParts {
  readonly messageId: string;
  /** Of a message of a FIFO topic. */
  readonly sequenceNumber: string | undefined;
  readonly topicArn: string;
  readonly subject: string | undefined;
  readonly text: string;
  readonly timestampMs: number;
  readonly unsubscribeUrl: string;
  readonly attributes: ReadonlyMap<string, MessageAttribute>;
}

/**
 * The JSON that a queue gets of a message, unless its subscription wants the raw message. The keys are those
 * of SNS, in its order. Nothing is signed, because no receiver could have a certificate of this server from
 * Amazon: `Signature` and `SigningCertURL` are there and empty. Messages of FIFO topics have neither, as
 * those of SNS.
 */
export function envelopeOf(parts: EnvelopeParts): string {
  const { messageId, sequenceNumber, topicArn, subject, text, timestampMs, unsubscribeUrl } = parts;
  return JSON.stringify({
    Type: 'Notification',
    MessageId: messageId,
    ...(sequenceNumber !== undefined && { SequenceNumber: sequenceNumber }),
    TopicArn: topicArn,
    ...(subject !== undefined && { Subject: subject }),
    Message: text,
    Timestamp: new Date(timestampMs).toISOString(),
    ...(sequenceNumber === undefined && { SignatureVersion: '1', Signature: '', SigningCertURL: '' }),
    UnsubscribeURL: unsubscribeUrl,
    ...(parts.attributes.size > 0 && { MessageAttributes: attributesOf(parts.attributes) }),
  });
}

function attributesOf(attributes: ReadonlyMap<string, MessageAttribute>): object {
  return Object.fromEntries(
    Array.from(attributes, ([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      {
        Type: DataType,
        Value: BinaryValue === undefined ? StringValue : Buffer.from(BinaryValue).toString('base64'),
      },
    ]),
  );
}
