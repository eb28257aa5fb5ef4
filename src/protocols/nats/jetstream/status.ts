/**
 * A status is a message without payload whose header line gives the result of a request:
 * `NATS/1.0 408 Request Timeout`. Clients compare the texts, so they are those of nats-server.
 */

/** The header block of a status, with further headers if given. */
function status(
  code: number,
  description: string,
  headers: readonly (readonly [string, string | number])[] = [],
): Buffer {
  let block = `NATS/1.0 ${code} ${description}\r\n`;
  for (const [name, value] of headers) block += `${name}: ${value}\r\n`;
  return Buffer.from(`${block}\r\n`);
}

export type FixedStatus =
  | 'flowControlRequest'
  | 'noMessages'
  | 'messageNotFound'
  | 'noResults'
  | 'emptyRequest'
  | 'badDirectRequest'
  | 'malformedRequest'
  | 'requestsPending'
  | 'consumerDeleted'
  | 'consumerIsExclusive'
  | 'consumerIsPushBased'
  | 'exceededMaxWaiting'
  | 'tooManyResults';

/** Statuses that are always the same. */
export const statuses: { readonly [S in FixedStatus]: Buffer } = {
  flowControlRequest: status(100, 'FlowControl Request'),
  noMessages: status(404, 'No Messages'),
  messageNotFound: status(404, 'Message Not Found'),
  noResults: status(404, 'No Results'),
  emptyRequest: status(408, 'Empty Request'),
  badDirectRequest: status(408, 'Bad Request'),
  malformedRequest: status(408, 'Malformed Request'),
  requestsPending: status(408, 'Requests Pending'),
  consumerDeleted: status(409, 'Consumer Deleted'),
  consumerIsExclusive: status(409, 'Consumer is in exclusive use'),
  consumerIsPushBased: status(409, 'Consumer is push based'),
  exceededMaxWaiting: status(409, 'Exceeded MaxWaiting'),
  tooManyResults: status(413, 'Too Many Results'),
};

/** For a pull request with the pin id of another client. */
export const pinMismatchStatus: Buffer = status(423, 'Nats-Pin-Id mismatch');

/** For a pull request that ends because its client is pinned no longer. */
export function wrongPinStatus(messages: number, bytes: number): Buffer {
  return status(423, 'Nats-Wrong-Pin-Id', pending(messages, bytes));
}

export function badRequestStatus(problem: string): Buffer {
  return status(400, `Bad Request - ${problem}`);
}

/** For a pull request that asks for more than the consumer allows. */
export function exceededStatus(
  limit: 'MaxRequestBatch' | 'MaxRequestExpires' | 'MaxRequestMaxBytes',
  of: string | number,
): Buffer {
  return status(409, `Exceeded ${limit} of ${of}`);
}

/** For a pull request that ended early: the messages and bytes that are left of it. */
export function requestTimeoutStatus(messages: number, bytes: number): Buffer {
  return status(408, 'Request Timeout', pending(messages, bytes));
}

/** For a pull request that has all its messages, with bytes left. */
export function batchCompletedStatus(messages: number, bytes: number): Buffer {
  return status(409, 'Batch Completed', pending(messages, bytes));
}

/** For a pull request that ends because the server stops. */
export function serverShutdownStatus(messages: number, bytes: number): Buffer {
  return status(409, 'Server Shutdown', pending(messages, bytes));
}

export function exceedsMaxBytesStatus(messages: number, bytes: number): Buffer {
  return status(409, 'Message Size Exceeds MaxBytes', pending(messages, bytes));
}

function pending(messages: number, bytes: number): readonly (readonly [string, number])[] {
  return [
    ['Nats-Pending-Messages', messages],
    ['Nats-Pending-Bytes', bytes],
  ];
}

/** There is nothing to deliver. `stalled`: the flow control subject that waits for an answer. */
export function idleHeartbeatStatus(lastConsumer: number, lastStream: number, stalled?: string): Buffer {
  return status(100, 'Idle Heartbeat', [
    ['Nats-Last-Consumer', lastConsumer],
    ['Nats-Last-Stream', lastStream],
    ...(stalled === undefined ? [] : ([['Nats-Consumer-Stalled', stalled]] as const)),
  ]);
}

/** The end of a batch of direct gets. */
export function endOfBatchStatus(
  pendingMessages: number,
  lastSequence: number,
  upToSequence?: number,
): Buffer {
  return status(204, 'EOB', [
    ['Nats-Num-Pending', pendingMessages],
    ['Nats-Last-Sequence', lastSequence],
    ...(upToSequence === undefined ? [] : ([['Nats-UpTo-Sequence', upToSequence]] as const)),
  ]);
}
