import { createServer, type Server, type Socket } from 'node:net';
import type { Broker } from '../../broker/index.ts';
import { SystemClock, SystemRandom, type Clock, type Random, type Timer } from '../../util/index.ts';
import { apis, type AnyApi, type ApiName } from '../../wire/kafka/index.ts';
import { backlogMax, type Frontend, type ListenOptions } from '../frontend.ts';
import { createTlsServer, type TlsIdentity } from '../tls.ts';
import { Turns } from '../turns.ts';
import { AnswerRoom } from './answer-room.ts';
import type { KafkaAuth } from './auth.ts';
import { GroupCoordinator, type GroupLimits } from './groups/index.ts';
import { handlers } from './handlers/index.ts';
import type { AutoCreation, Endpoint, KafkaHost } from './kafka-host.ts';
import { kafkaLimits, type KafkaLimits } from './limits.ts';
import type { SessionHost } from './session-host.ts';
import { Session, type CloseReason } from './session.ts';
import { DerivedTopicIds } from './topic-ids.ts';
import { ShownTopicNames } from './topic-names.ts';

export interface KafkaOptions {
  readonly broker: Broker;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Shared with the other frontends of a server; by default its own. */
  readonly turns?: Turns;
  readonly limits?: Partial<KafkaLimits>;
  readonly groupLimits?: Partial<GroupLimits>;
  /** Default: anybody may connect. */
  readonly auth?: KafkaAuth;
  /** Default: no TLS. */
  readonly tls?: TlsIdentity;
  /** Where clients are told to connect to; by default the address by which each has come. */
  readonly advertised?: Endpoint;
  readonly autoCreation?: Partial<AutoCreation>;
  /** Told what operators want to know. */
  readonly report?: (event: KafkaEvent) => void;
}

export type KafkaEvent =
  | { readonly kind: 'connected'; readonly connection: ConnectionInfo }
  | { readonly kind: 'closed'; readonly connection: ConnectionInfo; readonly reason: CloseReason };

/** A connection as the admin interface shows it. */
export interface ConnectionInfo {
  readonly id: number;
  readonly address: string;
  /** The client id. */
  readonly name: string;
  readonly software: string;
  readonly version: string;
  readonly user: string | null;
  readonly connectedMs: number;
  readonly requests: number;
  /** Requests without an answer yet, those that wait for records included. */
  readonly underWay: number;
  readonly inBytes: number;
  readonly outBytes: number;
  /** Bytes that wait for it to read them. */
  readonly pendingBytes: number;
}

/** The one broker of the cluster. */
const nodeId = 0;
/** How often connections are looked after: deadlines. */
const sweepMsMax = 1_000;
/** Read from a connection at once. */
const readBytes = 256 * 1024;

/** The Kafka frontend listens for Kafka clients, as the one broker of a cluster, and looks after their sessions. */
export class KafkaFrontend implements Frontend {
  readonly name = 'kafka';
  readonly authenticates: boolean;
  readonly #host: SessionHost;
  readonly #coordinator: GroupCoordinator;
  readonly #server: Server;
  readonly #sessions = new Set<Session>();
  readonly #report: (event: KafkaEvent) => void;
  readonly #sweepMs: number;
  #sweep: Timer | undefined = undefined;
  #lastId = 0;
  #closing = false;
  #emptied: (() => void) | undefined = undefined;

  constructor(options: KafkaOptions) {
    const { broker } = options;
    const clock = options.clock ?? new SystemClock();
    const random = options.random ?? new SystemRandom();
    const limits = kafkaLimits(options.limits);
    const auth = options.auth ?? { kind: 'none' };
    const topicIds = new DerivedTopicIds(broker);
    const topicNames = new ShownTopicNames(broker);
    this.authenticates = auth.kind !== 'none';
    this.#report = options.report ?? (() => {});
    this.#sweepMs = Math.min(
      sweepMsMax,
      limits.writeDeadlineMs / 4,
      limits.crowdedDeadlineMs / 2,
      limits.authTimeoutMs / 2,
      limits.idleMsMax / 2,
    );
    this.#coordinator = new GroupCoordinator({
      broker,
      clock,
      random,
      topicIds,
      topicNames,
      limits: options.groupLimits ?? {},
    });
    const kafka: KafkaHost = {
      broker,
      clock,
      random,
      limits,
      clusterId: Buffer.from(broker.uuid).toString('base64url'),
      nodeId,
      advertisedApis: advertisedApis(),
      autoCreation: { enabled: true, partitions: 1, ...options.autoCreation },
      topicIds,
      topicNames,
      coordinator: this.#coordinator,
    };
    this.#host = {
      kafka,
      auth,
      turns: options.turns ?? new Turns(clock),
      answerRoom: new AnswerRoom(limits.responseBytesMaxOfAll, limits.fetchBytesMax),
      readBuffer: Buffer.allocUnsafeSlow(readBytes),
      advertised: options.advertised,
      closing: (session, reason) => this.#sessionClosing(session, reason),
      gone: (session) => this.#sessionGone(session),
    };
    const accept = (socket: Socket): void => this.accept(socket);
    const socketOptions = { noDelay: true, keepAlive: true };
    this.#server = options.tls
      ? createTlsServer(options.tls, socketOptions, accept)
      : createServer({ ...socketOptions, pauseOnConnect: true }, accept);
  }

  get connections(): number {
    return this.#sessions.size;
  }

  listConnections(): ConnectionInfo[] {
    return Array.from(this.#sessions, connectionInfo);
  }

  listen({ host, port }: ListenOptions): Promise<{ readonly port: number }> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, backlog: backlogMax }, () => {
        server.off('error', reject);
        // Out of file descriptors, mostly: the connection is refused, the others live on.
        server.on('error', () => {});
        const address = server.address();
        resolve({ port: typeof address === 'object' && address !== null ? address.port : port });
      });
    });
  }

  /** What is on its way to the disk is answered, if that takes no longer than the grace; requests that wait for records are not waited for. */
  async close({ graceMs = 0 }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing = true;
    if (this.#server.listening) this.#server.close();
    for (const session of this.#sessions) session.hold();
    if (graceMs > 0 && this.#sessions.size > 0) await this.#committed(graceMs);
    this.#coordinator.close();
    for (const session of this.#sessions) session.close({ kind: 'stopping' });
    if (graceMs > 0) await this.#empty(graceMs);
    for (const session of this.#sessions) session.cut();
    await this.#empty();
    this.#sweep?.cancel();
  }

  /** Resolves when everything done so far is on disk and its publishers have heard so, or after so long. */
  #committed(waitMs: number): Promise<void> {
    const { clock, broker } = this.#host.kafka;
    return new Promise((resolve) => {
      const timer = clock.setTimer(waitMs, resolve);
      broker.afterCommit(() => {
        timer.cancel();
        clock.defer(resolve);
      });
    });
  }

  /** Resolves when the last client has gone, or after so long. */
  #empty(waitMs?: number): Promise<void> {
    if (this.#sessions.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = waitMs === undefined ? undefined : this.#host.kafka.clock.setTimer(waitMs, resolve);
      this.#emptied = () => {
        timer?.cancel();
        resolve();
      };
    });
  }

  /** Takes over a connection that somebody else has accepted and that was not read from (`pauseOnConnect`). */
  accept(socket: Socket): void {
    this.#host.turns.accepted();
    if (this.#closing || this.#sessions.size >= this.#host.kafka.limits.connectionsMax) {
      socket.on('error', () => socket.destroy());
      socket.destroy();
      return;
    }
    const session = new Session(this.#host, socket, ++this.#lastId);
    this.#sessions.add(session);
    this.#report({ kind: 'connected', connection: connectionInfo(session) });
    this.#sweep ??= this.#host.kafka.clock.setTimer(this.#sweepMs, this.#lookAfterSessions);
  }

  #sessionClosing(session: Session, reason: CloseReason): void {
    this.#report({ kind: 'closed', connection: connectionInfo(session), reason });
  }

  #sessionGone(session: Session): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#emptied?.();
  }

  readonly #lookAfterSessions = (): void => {
    this.#sweep = undefined;
    const nowMs = this.#host.kafka.clock.monotonic();
    for (const session of this.#sessions) this.#lookAfter(session, nowMs);
    if (this.#host.answerRoom.isFull) this.#makeRoom(nowMs);
    if (this.#sessions.size > 0)
      this.#sweep = this.#host.kafka.clock.setTimer(this.#sweepMs, this.#lookAfterSessions);
  };

  /** Cuts who has been behind for longest, until there is room for answers to the others. */
  #makeRoom(nowMs: number): void {
    let { bytesOver } = this.#host.answerRoom;
    const sinceMs = nowMs - this.#host.kafka.limits.crowdedDeadlineMs;
    const behind = Array.from(this.#sessions)
      .filter(({ behindSinceMs = Infinity }) => behindSinceMs <= sinceMs)
      .sort((a, b) => a.behindSinceMs! - b.behindSinceMs!);
    for (const session of behind) {
      if (bytesOver < 0) return;
      bytesOver -= session.pendingBytes;
      this.#cutSlow(session);
    }
  }

  #cutSlow(session: Session): void {
    session.close({ kind: 'slow-reader', pendingBytes: session.pendingBytes });
    session.cut();
  }

  #lookAfter(session: Session, nowMs: number): void {
    const { writeDeadlineMs, idleMsMax } = this.#host.kafka.limits;
    session.noteProgress(nowMs);
    if (session.pendingBytes > 0 && nowMs - session.wroteMs >= writeDeadlineMs) this.#cutSlow(session);
    else if (session.closed) return;
    else if (nowMs >= session.authDueMs) session.fail('it did not log in in time');
    else if (session.underWay === 0 && nowMs - session.heardMs >= idleMsMax) session.close({ kind: 'idle' });
  }
}

function advertisedApis(): readonly AnyApi[] {
  return (Object.keys(apis) as ApiName[]).flatMap((name) =>
    handlers[name] === undefined ? [] : [apis[name] as AnyApi],
  );
}

function connectionInfo(session: Session): ConnectionInfo {
  return {
    id: session.id,
    address: session.address,
    name: session.clientId,
    software: session.clientSoftware,
    version: session.clientVersion,
    user: session.user ?? null,
    connectedMs: session.connectedMs,
    requests: session.requests,
    underWay: session.underWay,
    inBytes: session.inBytes,
    outBytes: session.outBytes,
    pendingBytes: session.pendingBytes,
  };
}
