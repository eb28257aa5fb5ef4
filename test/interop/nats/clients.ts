import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import {
  type JetStreamClient,
  type JetStreamManager,
  type StreamConfig,
  type StreamInfo,
  type StreamState,
  JetStreamApiError,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import {
  type MsgHdrs,
  type NatsConnection,
  type NodeConnectionOptions,
  connect,
  headers,
} from '@nats-io/transport-node';
import { type TestServer, uniqueName, useServer } from '../../support/index.ts';

/** One second and one millisecond in the nanoseconds that JetStream counts in. */
export const SECOND_NS = 1_000_000_000;
export const MILLISECOND_NS = 1_000_000;

/** For requests that will be answered: a slow machine must not fail a test. */
export const patient: { readonly timeout: number } = { timeout: 20_000 };

/** A server and a connected client of it, shared by the tests of a suite. */
export interface NatsFixture {
  readonly server: () => TestServer;
  readonly nc: () => NatsConnection;
  readonly js: () => JetStreamClient;
  readonly jsm: () => JetStreamManager;
  /** Another connection; the caller closes it (`await using`). */
  readonly connect: (options?: NodeConnectionOptions) => Promise<NatsConnection>;
  /** A stream of a fresh name, which is also the first token of its subjects: `<name>.>`. */
  readonly addStream: (config?: Partial<StreamConfig>) => Promise<StreamInfo['config']>;
  /** The state of a stream with the counts of its subjects. */
  readonly readState: (stream: string) => Promise<StreamState>;
  /** A request to the JSON API as clients send it, for requests that no client method offers. */
  readonly api: (subject: string, body?: unknown) => Promise<ApiResponse>;
}

export interface ApiResponse extends Record<string, unknown> {
  readonly type: string;
  readonly error?: { readonly code: number; readonly err_code: number; readonly description: string };
}

export function useNats(): NatsFixture {
  // Hooks run in the order of their registration: the client leaves before the server stops.
  after(async () => {
    await connection?.close();
  });
  const server = useServer();
  const connectTo = (options: NodeConnectionOptions = {}): Promise<NatsConnection> =>
    connect({ servers: server().natsAddress, ...options });
  let connection: NatsConnection | undefined;
  let manager: JetStreamManager | undefined;
  before(async () => {
    connection = await connectTo();
    manager = await jetstreamManager(connection, patient);
  });
  const nc = (): NatsConnection => {
    assert.ok(connection, 'useNats(): the connection is there inside tests only');
    return connection;
  };
  const jsm = (): JetStreamManager => {
    assert.ok(manager, 'useNats(): the manager is there inside tests only');
    return manager;
  };
  return {
    server,
    nc,
    jsm,
    js: () => jetstream(nc(), patient),
    connect: connectTo,
    addStream: async (config = {}) => {
      const name = config.name ?? uniqueName('stream');
      return (await jsm().streams.add({ subjects: [`${name}.>`], ...config, name })).config;
    },
    readState: async (stream) => (await jsm().streams.info(stream, { subjects_filter: '>' })).state,
    api: async (subject, body) => {
      const payload = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
      return (await nc().request(`$JS.API.${subject}`, payload, patient)).json<ApiResponse>();
    },
  };
}

/** Whether the server reports this version or a newer one: clients hide features that an older one lacks. */
export function isAtLeast(nc: NatsConnection, major: number, minor: number): boolean {
  const [serverMajor = 0, serverMinor = 0] = (nc.info?.version ?? '').split('.').map(Number);
  return serverMajor > major || (serverMajor === major && serverMinor >= minor);
}

/** Headers with one line. */
export function header(name: string, value: string): MsgHdrs {
  const made = headers();
  made.set(name, value);
  return made;
}

/** Asserts that the call fails with this JetStream error code, and returns the error's description. */
export async function rejectsWithCode(promise: Promise<unknown>, code: number): Promise<string> {
  let description = '';
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof JetStreamApiError, `expected a JetStream error ${code}, got ${String(error)}`);
    assert.equal(error.code, code, error.message);
    description = error.message;
    return true;
  });
  return description;
}

/** The first `count` items of an iterator. */
export async function take<T>(source: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  if (count === 0) return taken;
  for await (const item of source) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  return take(source, Number.POSITIVE_INFINITY);
}
