import { useEffect, useState } from 'preact/hooks';
import { addressOf, ApiError, errorOf, headers } from './api.ts';

/** The newest answer of a route that is watched. */
export interface Watched<T> {
  readonly value: T | undefined;
  readonly error: ApiError | undefined;
}

/** Whether the stream runs, and when it spoke last. */
export interface StreamState {
  readonly isLive: boolean;
  readonly spokenMs: number;
}

type Listener = (watched: Watched<unknown>) => void;

interface Event {
  readonly watch: number;
  readonly body?: unknown;
  readonly status?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

/** The broker speaks every ten seconds at least; after this silence the connection counts as lost. */
const silenceMs = 25_000;
const retryMsMax = 10_000;

/**
 * The one stream of changes of this page. It is opened again when what is watched changes, and when it is
 * lost.
 */
class Stream {
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #newest = new Map<string, Watched<unknown>>();
  readonly #stateListeners = new Set<(state: StreamState) => void>();
  #state: StreamState = { isLive: true, spokenMs: Date.now() };
  #abort: AbortController | undefined = undefined;
  #pending: number | undefined = undefined;
  #failures = 0;

  watch(path: string, listener: Listener): () => void {
    let listeners = this.#listeners.get(path);
    if (!listeners) this.#listeners.set(path, (listeners = new Set()));
    listeners.add(listener);
    const newest = this.#newest.get(path);
    if (newest) listener(newest);
    this.#reopen(0);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      this.#listeners.delete(path);
      this.#newest.delete(path);
      this.#reopen(0);
    };
  }

  onState(listener: (state: StreamState) => void): () => void {
    this.#stateListeners.add(listener);
    listener(this.#state);
    return () => this.#stateListeners.delete(listener);
  }

  /** Asks for everything again at once, after something was changed. */
  refresh(): void {
    this.#reopen(0);
  }

  #reopen(afterMs: number): void {
    if (this.#pending !== undefined) clearTimeout(this.#pending);
    this.#pending = window.setTimeout(() => {
      this.#pending = undefined;
      this.#abort?.abort();
      void this.#run();
    }, afterMs + 20);
  }

  async #run(): Promise<void> {
    const paths = [...this.#listeners.keys()];
    if (paths.length === 0) return;
    const abort = (this.#abort = new AbortController());
    let silence = 0;
    const hear = (): void => {
      clearTimeout(silence);
      silence = window.setTimeout(() => abort.abort(), silenceMs);
      this.#failures = 0;
      this.#set({ isLive: true, spokenMs: Date.now() });
    };
    try {
      const query = new URLSearchParams(paths.map((path) => ['watch', path]));
      const response = await fetch(addressOf(`/api/v1/changes?${query.toString()}`), {
        headers: headers(),
        signal: abort.signal,
      });
      if (!response.ok || !response.body) throw await errorOf(response);
      hear();
      for await (const event of eventsOf(response.body, hear)) this.#take(paths, event);
    } catch (error) {
      if (error instanceof ApiError && error.status !== 401)
        for (const path of paths) this.#tell(path, { value: this.#newest.get(path)?.value, error });
      this.#failures++;
    } finally {
      clearTimeout(silence);
    }
    // Another run has taken over, with other paths.
    if (this.#abort !== abort) return;
    if (this.#failures > 0) this.#set({ ...this.#state, isLive: false });
    this.#reopen(Math.min(retryMsMax, this.#failures * 1000));
  }

  #take(paths: readonly string[], { watch, body, status, error }: Event): void {
    const path = paths[watch];
    if (path === undefined) return;
    this.#tell(
      path,
      error === undefined
        ? { value: body, error: undefined }
        : { value: undefined, error: new ApiError(status ?? 0, error.code, error.message) },
    );
  }

  #tell(path: string, watched: Watched<unknown>): void {
    if (!this.#listeners.has(path)) return;
    this.#newest.set(path, watched);
    for (const listener of this.#listeners.get(path) ?? []) listener(watched);
  }

  #set(state: StreamState): void {
    this.#state = state;
    for (const listener of this.#stateListeners) listener(state);
  }
}

/** The events of a body of server-sent events. `hear` is called for every piece. */
async function* eventsOf(body: ReadableStream<Uint8Array>, hear: () => void): AsyncGenerator<Event> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      hear();
      text += decoder.decode(value, { stream: true });
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const line = event.split('\n').find((each) => each.startsWith('data: '));
        if (line !== undefined) yield JSON.parse(line.slice(6)) as Event;
      }
    }
  } finally {
    reader.releaseLock();
  }
}

export const stream: Stream = new Stream();

/** Watches a GET route; undefined: none. While a new one has not answered, the old value stays. */
export function useWatch<T>(path: string | undefined): Watched<T> {
  const [watched, setWatched] = useState<Watched<unknown>>({ value: undefined, error: undefined });
  useEffect(() => (path === undefined ? undefined : stream.watch(path, (next) => setWatched(next))), [path]);
  return watched as Watched<T>;
}

export function useStreamState(): StreamState {
  const [state, setState] = useState<StreamState>({ isLive: true, spokenMs: Date.now() });
  useEffect(() => stream.onState(setState), []);
  return state;
}

/** The time, each second, for the clock and for ages. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
