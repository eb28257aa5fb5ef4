import type { HttpReply } from '../http/index.ts';
import type { Reason } from './errors.ts';

/** An answer of the management API. */
export type ApiReply =
  | { readonly kind: 'json'; readonly status?: number; readonly body: object }
  /** A list, whose entries are made while they are sent. */
  | { readonly kind: 'list'; readonly entries: Iterable<object> }
  /** 201: it was made; 204: it was there, or is gone. */
  | { readonly kind: 'empty'; readonly status: 201 | 204; readonly location?: string };

export function json(body: object, status = 200): ApiReply {
  return { kind: 'json', status, body };
}

/** The answer to a PUT. */
export function declared(isNew: boolean): ApiReply {
  return { kind: 'empty', status: isNew ? 201 : 204 };
}

export const gone: ApiReply = { kind: 'empty', status: 204 };

const headers = {
  'content-type': 'application/json',
  'cache-control': 'no-cache',
  'x-content-type-options': 'nosniff',
};

/** The answer as it is sent. */
export function httpReply(reply: ApiReply): HttpReply {
  switch (reply.kind) {
    case 'json':
      return { status: reply.status ?? 200, headers, body: JSON.stringify(reply.body) };
    case 'list':
      return { headers, body: piecesOf(reply.entries) };
    case 'empty':
      return {
        status: reply.status,
        headers: { ...headers, ...(reply.location !== undefined && { location: reply.location }) },
      };
    default:
      return reply satisfies never;
  }
}

/** A refusal as it is sent. */
export function refusalReply(
  status: number,
  error: string,
  reason: Reason,
  more: { readonly [name: string]: string } = {},
): HttpReply {
  return { status, headers: { ...headers, ...more }, body: JSON.stringify({ error, reason }) };
}

/** Characters of a piece. */
const pieceCharacters = 32 * 1024;

/** A list as JSON, in pieces, so that a long one is never one string. */
function* piecesOf(entries: Iterable<object>): Generator<string> {
  let text = '[';
  let separator = '';
  for (const entry of entries) {
    text += separator + JSON.stringify(entry);
    separator = ',';
    if (text.length < pieceCharacters) continue;
    yield text;
    text = '';
  }
  yield `${text}]`;
}
