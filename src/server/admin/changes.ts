import { setTimeout as sleep } from 'node:timers/promises';
import { type Access, findRoute, HttpError } from '../../protocols/index.ts';
import type { AdminContext } from './context.ts';
import { describeError, invalidRequest } from './errors.ts';
import type { AdminReply, AdminRequest, Route } from './http.ts';
import { wholeNumber } from './shape.ts';

const watchesMax = 6;
const everyMsMin = 500;
const everyMsDefault = 2000;
/** A longer answer is refused: a page of it can be watched. */
const answerCharactersMax = 2 * 2 ** 20;
/** A stream without an event is told apart from a lost connection by an empty one. */
const silenceMs = 10_000;
/** Then the stream ends, and the client logs in again with its next one. */
const streamMs = 300_000;
/** The rest after a look, as a multiple of the time that it took. */
const restShare = 4;
/** Clients that watch the same share one answer of this age. */
const sharedMs = everyMsMin / 2;
const sharedMax = 256;

/** The streams that are open, and how many there may be. */
export interface StreamRoom {
  open: number;
  readonly max: number;
}

/**
 * The stream of changes, as server-sent events: the answers of the routes that the client watches, each again
 * when it has changed. They are taken at a bounded rate, and a client that reads slowly misses those in
 * between.
 */
export function changesOf(
  routes: readonly Route<AdminContext>[],
): (request: AdminRequest, context: AdminContext) => AdminReply {
  const answers = new SharedAnswers(routes);
  return (request, context) => {
    const { query, access, signal } = request;
    const paths = query.getAll('watch');
    if (paths.length === 0 || paths.length > watchesMax)
      throw invalidRequest(`Give 1 to ${watchesMax} routes to watch, as in ?watch=/api/v1/overview.`);
    for (const path of paths) answers.routeOf(path);
    const given = query.get('everyMs');
    const everyMs = given === null ? everyMsDefault : wholeNumber(everyMsMin, 60_000)(given, 'everyMs');
    const { streams } = context;
    if (streams.open >= streams.max)
      throw new HttpError(
        503,
        'streams-exceeded',
        `There are too many streams of changes (${streams.max} at most, --admin-streams-max); try again later.`,
        { 'retry-after': '5' },
      );
    const headers = {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-accel-buffering': 'no',
    };
    return { kind: 'raw', headers, body: events(answers, { paths, everyMs, access, signal }, context) };
  };
}

interface Watching {
  readonly paths: readonly string[];
  readonly everyMs: number;
  readonly access: Access;
  readonly signal: AbortSignal;
}

async function* events(
  answers: SharedAnswers,
  { paths, everyMs, access, signal }: Watching,
  context: AdminContext,
): AsyncGenerator<string, undefined> {
  const { streams } = context;
  streams.open++;
  try {
    const endMs = performance.now() + streamMs;
    const last = paths.map(() => '');
    let spokenMs = 0;
    while (!signal.aborted && performance.now() < endMs) {
      const startMs = performance.now();
      for (const [at, path] of paths.entries()) {
        const text = await answers.of(path, access, context, signal);
        if (signal.aborted) return undefined;
        if (text === last[at]) continue;
        last[at] = text;
        spokenMs = performance.now();
        yield `event: change\ndata: {"watch":${at},${text}}\n\n`;
      }
      if (performance.now() - spokenMs >= silenceMs) {
        spokenMs = performance.now();
        yield ': still here\n\n';
      }
      // With many topics a look takes its time; other clients have most of it.
      const tookMs = performance.now() - startMs;
      await sleep(Math.max(everyMs - tookMs, restShare * tookMs), undefined, { signal }).catch(() => {});
    }
  } finally {
    streams.open--;
  }
  return undefined;
}

interface Shared {
  readonly atMs: number;
  readonly text: Promise<string>;
}

/** The newest answers, by what the client may see and the route. */
class SharedAnswers {
  readonly #routes: readonly Route<AdminContext>[];
  readonly #byContext = new WeakMap<AdminContext, WeakMap<Access, Map<string, Shared>>>();

  constructor(routes: readonly Route<AdminContext>[]) {
    this.#routes = routes;
  }

  /** Throws an HttpError if there is no such route. */
  routeOf(target: string): ReturnType<typeof findRoute<Route<AdminContext>>> & { readonly url: URL } {
    if (!target.startsWith('/api/v1/') || !URL.canParse(`http://localhost${target}`))
      throw invalidRequest(`"${target.slice(0, 200)}" cannot be watched; give the path of a GET route.`);
    const url = new URL(`http://localhost${target}`);
    if (url.searchParams.has('waitMs')) throw invalidRequest('A route that waits cannot be watched.');
    return { ...findRoute(this.#routes, 'GET', url.pathname), url };
  }

  /** The fields of an event about the answer, as JSON without braces. */
  of(path: string, access: Access, context: AdminContext, signal: AbortSignal): Promise<string> {
    let byAccess = this.#byContext.get(context);
    if (!byAccess) this.#byContext.set(context, (byAccess = new WeakMap()));
    let known = byAccess.get(access);
    if (!known) byAccess.set(access, (known = new Map()));
    const shared = known.get(path);
    if (shared && performance.now() - shared.atMs < sharedMs) return shared.text;
    if (known.size >= sharedMax) known.clear();
    const text = this.#answer(path, access, context, signal);
    known.set(path, { atMs: performance.now(), text });
    return text;
  }

  async #answer(path: string, access: Access, context: AdminContext, signal: AbortSignal): Promise<string> {
    try {
      const { route, params, url } = this.routeOf(path);
      const query = url.searchParams;
      const json = (): Promise<undefined> => Promise.resolve(undefined);
      const reply = await route.handle({ access, params, query, headers: {}, json, signal }, context);
      if (reply.kind !== 'json')
        throw invalidRequest(`"${path}" cannot be watched: it does not answer in JSON.`);
      const text = JSON.stringify(reply.body);
      if (text.length > answerCharactersMax)
        throw new HttpError(413, 'answer-too-large', `The answer of "${path}" is too long to be watched.`);
      return `"body":${text}`;
    } catch (error) {
      const { status, body } = describeError(error);
      return `"status":${status},"error":${JSON.stringify(body.error)}`;
    }
  }
}
