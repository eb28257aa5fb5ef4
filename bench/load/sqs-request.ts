import { HttpSocket } from './http-socket.ts';

/** The queue that requests are for. */
export interface QueueAt {
  readonly port: number;
  readonly queueUrl: string;
}

/** What a client signs with that has no credentials of its own: emulators read it and do not check it. */
const authorization =
  'AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/sqs/aws4_request, ' +
  'SignedHeaders=content-type;host;x-amz-target, Signature=0000000000000000000000000000000000000000000000000000000000000000';

/** A whole request in AWS JSON 1.0. */
export function encodeCall(port: number, action: string, input: object | string): Buffer {
  const body = Buffer.from(typeof input === 'string' ? input : JSON.stringify(input));
  const head = [
    'POST / HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Content-Type: application/x-amz-json-1.0',
    `X-Amz-Target: AmazonSQS.${action}`,
    `Authorization: ${authorization}`,
    `Content-Length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
}

/** Calls an operation over a connection of its own, and waits for its output. */
export async function callOnce(port: number, action: string, input: object): Promise<unknown> {
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<never>((_, reject) => (fail = reject));
  const socket = await HttpSocket.connect({ port, onFailure: fail });
  const answered = new Promise<unknown>((resolve) =>
    socket.ask(encodeCall(port, action, input), (buffer, start, end) =>
      resolve(start === end ? {} : JSON.parse(buffer.toString('utf8', start, end))),
    ),
  );
  try {
    return await Promise.race([answered, failed]);
  } finally {
    socket.end();
  }
}

/** The bodies of the messages are filler, as many bytes as wanted. */
export function bodyOf(payloadBytes: number): string {
  return 'x'.repeat(payloadBytes);
}

/** A SendMessage, or for more than one message a SendMessageBatch. */
export function encodeSend({ port, queueUrl }: QueueAt, payloadBytes: number, messages: number): Buffer {
  const MessageBody = bodyOf(payloadBytes);
  if (messages === 1) return encodeCall(port, 'SendMessage', { QueueUrl: queueUrl, MessageBody });
  const Entries = Array.from({ length: messages }, (_, i) => ({ Id: `${i}`, MessageBody }));
  return encodeCall(port, 'SendMessageBatch', { QueueUrl: queueUrl, Entries });
}

/** A SendMessageBatch to a FIFO queue: messages `first`, `first + 1`, …, each to its group in turn. */
export function encodeFifoSend(
  { port, queueUrl }: QueueAt,
  { payloadBytes, first, messages, groups }: FifoBatch,
): Buffer {
  const MessageBody = bodyOf(payloadBytes);
  const Entries = Array.from({ length: messages }, (_, i) => ({
    Id: `${i}`,
    MessageBody,
    MessageGroupId: `group-${(first + i) % groups}`,
    MessageDeduplicationId: `message-${first + i}`,
  }));
  return encodeCall(port, 'SendMessageBatch', { QueueUrl: queueUrl, Entries });
}

export interface FifoBatch {
  readonly payloadBytes: number;
  readonly first: number;
  readonly messages: number;
  readonly groups: number;
}

const batchMax = 10;

/** A ReceiveMessage of ten. */
export function encodeReceive(
  { port, queueUrl }: QueueAt,
  options: { readonly VisibilityTimeout?: number; readonly WaitTimeSeconds?: number } = {},
): Buffer {
  const input = { QueueUrl: queueUrl, MaxNumberOfMessages: batchMax, ...options };
  return encodeCall(port, 'ReceiveMessage', input);
}

/** A DeleteMessageBatch; the handles are texts of JSON, without their quotes. */
export function encodeDelete({ port, queueUrl }: QueueAt, handles: readonly string[]): Buffer {
  const entries = handles.map((handle, i) => `{"Id":"${i}","ReceiptHandle":"${handle}"}`);
  return encodeCall(
    port,
    'DeleteMessageBatch',
    `{"QueueUrl":${JSON.stringify(queueUrl)},"Entries":[${entries.join(',')}]}`,
  );
}

const handleKey = '"ReceiptHandle":"';

/** The receipt handles in the output of a ReceiveMessage, as they stand there. */
export function readHandles(output: string): string[] {
  const handles: string[] = [];
  for (let at = output.indexOf(handleKey); at >= 0; at = output.indexOf(handleKey, at)) {
    const start = at + handleKey.length;
    at = output.indexOf('"', start);
    handles.push(output.slice(start, at));
  }
  return handles;
}

/** Throws if an entry of a batch has failed. */
export function requireAllDone(output: string): void {
  if (/"Failed":\s*\[\s*\{/.test(output))
    throw new Error(`entries of a batch failed: ${output.slice(0, 300)}`);
}
