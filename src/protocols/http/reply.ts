import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** An answer. */
export interface HttpReply {
  /** Default: 200. */
  readonly status?: number;
  readonly headers?: OutgoingHttpHeaders;
  /**
   * A text or bytes are sent as they are, cut into pieces. Pieces are written as the client takes them. The
   * pieces of an iterable are available at once. The pieces of an async iterable come in their own time, and
   * each is sent at once (as server-sent events need it); its source must end when the request's signal is
   * aborted.
   */
  readonly body?: HttpBody;
}

type Piece = string | Uint8Array;
type HttpBody = Piece | Iterable<Piece> | AsyncIterable<Piece>;

/** Bytes that are written in one go; the rest follows when the client has taken them. */
const pieceBytes = 64 * 1024;

/**
 * Writes the answer. Resolves when the socket has taken all of it, or the client has left. Rejects with the
 * error of the body's source, after breaking off the answer.
 */
export async function writeReply(
  response: ServerResponse,
  { status = 200, headers = {}, body = '' }: HttpReply,
  isHead: boolean,
): Promise<void> {
  if (response.destroyed) return closeSource(body);
  if (isAsync(body)) {
    response.writeHead(status, headers);
    if (isHead) await closeSource(body);
    else {
      response.flushHeaders();
      await writePieces(response, body);
    }
    return;
  }
  const pieces = isWhole(body) ? cut(body) : body[Symbol.iterator]();
  const first = pieces.next();
  const second = first.done === true ? first : pieces.next();
  // The length is known if the first piece is the whole body, or if the body is a text or bytes.
  const isShort = second.done === true;
  const bytes = isShort ? lengthOf(first.done === true ? '' : first.value) : wholeLength(body);
  response.writeHead(status, { ...headers, ...(bytes === undefined ? {} : { 'content-length': bytes }) });
  if (isHead) {
    pieces.return?.();
    return;
  }
  if (first.done === true) return;
  if (isShort) return void response.write(first.value);
  await writePieces(response, following(first.value, second.value, pieces));
}

/** Writes the pieces with back-pressure: the next piece is taken when the socket has taken those before. */
async function writePieces(
  response: ServerResponse,
  pieces: Iterable<Piece> | AsyncIterable<Piece>,
): Promise<void> {
  try {
    for await (const piece of pieces) {
      if (response.destroyed) return;
      if (!response.write(piece)) await drained(response);
      if (response.destroyed) return;
    }
  } catch (error) {
    // The client must not mistake the part that it has for the whole.
    if (response.headersSent) response.destroy();
    throw error;
  }
}

/** Resolves when there is room again, or the client has left. */
function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed || !response.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go);
      response.off('close', go);
      resolve();
    };
    response.on('drain', go);
    response.on('close', go);
  });
}

function* following(first: Piece, second: Piece, rest: Iterator<Piece>): Generator<Piece> {
  try {
    yield first;
    yield second;
    for (let next = rest.next(); next.done !== true; next = rest.next()) yield next.value;
  } finally {
    rest.return?.();
  }
}

function* cut(body: Piece): Generator<Piece> {
  if (typeof body === 'string' && body.length <= pieceBytes) {
    yield body;
    return;
  }
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

function wholeLength(body: HttpBody): number | undefined {
  return isWhole(body) ? lengthOf(body) : undefined;
}

function lengthOf(piece: Piece): number {
  return typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
}

function isWhole(body: HttpBody): body is Piece {
  return typeof body === 'string' || body instanceof Uint8Array;
}

function isAsync(body: HttpBody): body is AsyncIterable<Piece> {
  return typeof body === 'object' && Symbol.asyncIterator in body;
}

async function closeSource(body: HttpBody): Promise<void> {
  if (isAsync(body)) await body[Symbol.asyncIterator]().return?.();
}

/**
 * An answer as text, head and body, for a connection without a request. The connection is closed after it.
 */
export function replyText({ status = 200, headers = {}, body }: HttpReply): string {
  const text = typeof body === 'string' ? body : '';
  const lines = Object.entries({ ...headers, 'content-length': lengthOf(text), connection: 'close' });
  return `HTTP/1.1 ${status} ${reasonOf(status)}\r\n${lines.map(([name, value]) => `${name}: ${String(value)}\r\n`).join('')}\r\n${text}`;
}

const reasons: { readonly [status: number]: string } = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
  503: 'Service Unavailable',
};

function reasonOf(status: number): string {
  return reasons[status] ?? 'Refused';
}
