import type { TurnTaker } from '../connections/index.ts';
import type { HttpReply } from '../http/index.ts';
import type { Reason } from './errors.ts';

/** An answer of the management API. */
export type ApiReply =
  | { readonly kind: 'json'; readonly status?: number; readonly body: object }
  /** A list, whose entries are made while they are sent. */
  | { readonly kind: 'list'; readonly entries: Iterable<object> }
  /** An object whose last fields are such lists. */
  | {
      readonly kind: 'lists';
      readonly body: object;
      readonly lists: { readonly [field: string]: Iterable<object> };
    }
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

/** The answer as it is sent. A long list is made in turns, while it is sent. */
export async function httpReply(reply: ApiReply, turns: TurnTaker): Promise<HttpReply> {
  switch (reply.kind) {
    case 'json':
      return { status: reply.status ?? 200, headers, body: JSON.stringify(reply.body) };
    case 'list':
      return { headers, body: await bodyOf(piecesOf(textsOfList(reply.entries), turns)) };
    case 'lists':
      return { headers, body: await bodyOf(piecesOf(textsOfLists(reply.body, reply.lists), turns)) };
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

/** Texts in pieces, so that a long list is never one string, with others having their turn in between. */
async function* piecesOf(texts: Iterable<string>, turns: TurnTaker): AsyncGenerator<string> {
  let piece = '';
  for (const text of texts) {
    piece += text;
    const rest = turns.rest();
    if (rest) {
      await rest;
      if (turns.closed) return; // nobody reads the rest
    }
    if (piece.length < pieceCharacters) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

/** A body of one piece is a text, so that its length is known. */
async function bodyOf(pieces: AsyncGenerator<string>): Promise<string | AsyncIterable<string>> {
  const first = await pieces.next();
  const second = await pieces.next();
  if (second.done === true) return first.done === true ? '' : first.value;
  return following([first.value as string, second.value], pieces);
}

async function* following(first: readonly string[], rest: AsyncGenerator<string>): AsyncGenerator<string> {
  try {
    yield* first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

/** A list as JSON. */
function* textsOfList(entries: Iterable<object>): Iterable<string> {
  let separator = '[';
  for (const entry of entries) {
    yield separator + JSON.stringify(entry);
    separator = ',';
  }
  yield separator === '[' ? '[]' : ']';
}

function* textsOfLists(
  body: object,
  lists: { readonly [field: string]: Iterable<object> },
): Iterable<string> {
  const text = JSON.stringify(body).slice(0, -1);
  yield text;
  let separator = text === '{' ? '' : ',';
  for (const [field, entries] of Object.entries(lists)) {
    yield `${separator}${JSON.stringify(field)}:`;
    yield* textsOfList(entries);
    separator = ',';
  }
  yield '}';
}
