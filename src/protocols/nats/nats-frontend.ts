import { createServer, type Server, type Socket } from 'node:net';
import type { Router } from '../../broker/index.ts';
import { SystemClock, SystemRandom, type Clock, type Random, type Timer } from '../../util/index.ts';
import { FrameWriter, type ServerInfo } from '../../wire/nats/index.ts';
import { backlogMax, type Frontend, type ListenOptions } from '../frontend.ts';
import type { NatsAuth } from './auth.ts';
import { ErrorText } from './errors.ts';
import { Flusher } from './flusher.ts';
import { serverInfo } from './info.ts';
import type { JetStream } from './jetstream-door.ts';
import { natsLimits, type NatsLimits } from './limits.ts';
import type { SessionHost } from './session-host.ts';
import { Session, type CloseReason } from './session.ts';
import { Turns } from '../turns.ts';

export interface NatsOptions {
  readonly router: Router;
  /** Absent: core NATS only. */
  readonly jetStream?: JetStream;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly limits?: Partial<NatsLimits>;
  /** Default: anybody may connect. */
  readonly auth?: NatsAuth;
  readonly serverName?: string;
  /** Shared with the other frontends of a server; by default its own. */
  readonly turns?: Turns;
  /** Told what operators want to know. */
  readonly report?: (event: NatsEvent) => void;
}

export type NatsEvent =
  | { readonly kind: 'connected'; readonly connection: ConnectionInfo }
  | { readonly kind: 'closed'; readonly connection: ConnectionInfo; readonly reason: CloseReason };

/** A connection as the admin interface shows it. */
export interface ConnectionInfo {
  readonly id: number;
  readonly address: string;
  readonly name: string;
  readonly language: string;
  readonly version: string;
  readonly connectedMs: number;
  readonly subscriptions: number;
  readonly inMessages: number;
  readonly inBytes: number;
  readonly outMessages: number;
  readonly outBytes: number;
  /** Bytes that wait for it to read them. */
  readonly pendingBytes: number;
}

/** Read from a connection at once. */
const readBytes = 128 * 1024;

/** How often connections are looked after: pings, deadlines. */
const sweepMsMax = 1_000;

/** The NATS frontend listens for NATS clients and looks after their sessions. */
export class NatsFrontend implements Frontend {
  readonly name = 'nats';
  readonly authenticates: boolean;
  readonly #host: SessionHost & { info: ServerInfo };
  readonly #server: Server;
  readonly #sessions = new Set<Session>();
  readonly #report: (event: NatsEvent) => void;
  readonly #sweepMs: number;
  #sweep: Timer | undefined = undefined;
  #lastId = 0;
  #closing = false;
  #emptied: (() => void) | undefined = undefined;

  constructor(options: NatsOptions) {
    const clock = options.clock ?? new SystemClock();
    const random = options.random ?? new SystemRandom();
    const limits = natsLimits(options.limits);
    const auth = options.auth ?? { kind: 'none' };
    const serverId = `P${Buffer.from(random.bytes(20)).toString('hex').toUpperCase()}`;
    this.authenticates = auth.kind !== 'none';
    this.#report = options.report ?? (() => {});
    this.#sweepMs = Math.min(
      sweepMsMax,
      limits.pingIntervalMs / 2,
      limits.writeDeadlineMs / 4,
      limits.authTimeoutMs / 2,
    );
    this.#host = {
      router: options.router,
      jetStream: options.jetStream,
      clock,
      flusher: new Flusher(clock),
      turns: options.turns ?? new Turns(clock),
      readBuffer: Buffer.allocUnsafeSlow(readBytes),
      limits,
      auth,
      info: serverInfo({
        serverId,
        serverName: options.serverName ?? serverId,
        host: '',
        port: 0,
        payloadBytesMax: limits.payloadBytesMax,
        jetStream: options.jetStream !== undefined,
        authRequired: this.authenticates,
      }),
      closing: (session, reason) => this.#sessionClosing(session, reason),
      gone: (session) => this.#sessionGone(session),
    };
    this.#server = createServer({ noDelay: true, keepAlive: true, pauseOnConnect: true }, (socket) =>
      this.#accept(socket),
    );
  }

  get connections(): number {
    return this.#sessions.size;
  }

  /** Live subscriptions of all connections. */
  get subscriptions(): number {
    let count = 0;
    for (const session of this.#sessions) count += session.subscriptions.size;
    return count;
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
        const listening = typeof address === 'object' && address !== null ? address.port : port;
        this.#host.info = { ...this.#host.info, host, port: listening };
        resolve({ port: listening });
      });
    });
  }

  async close({ graceMs = 0 }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing = true;
    if (this.#server.listening) this.#server.close();
    for (const session of this.#sessions) if (session.takesInfo && !session.closed) session.sendInfo(true);
    if (graceMs > 0) await this.#empty(graceMs);
    for (const session of this.#sessions) session.close({ kind: 'stopping' });
    await this.#empty();
    this.#sweep?.cancel();
  }

  /** Resolves when the last client has gone, or after so long. */
  #empty(waitMs?: number): Promise<void> {
    if (this.#sessions.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = waitMs === undefined ? undefined : this.#host.clock.setTimer(waitMs, resolve);
      this.#emptied = () => {
        timer?.cancel();
        resolve();
      };
    });
  }

  #accept(socket: Socket): void {
    this.#host.turns.accepted();
    if (this.#closing || this.#sessions.size >= this.#host.limits.connectionsMax) {
      socket.on('error', () => socket.destroy());
      socket.end(new FrameWriter().error(ErrorText.connectionsExceeded).take());
      socket.resume();
      return;
    }
    const session = new Session(this.#host, socket, ++this.#lastId);
    this.#sessions.add(session);
    this.#report({ kind: 'connected', connection: connectionInfo(session) });
    this.#sweep ??= this.#host.clock.setTimer(this.#sweepMs, this.#lookAfterSessions);
  }

  #sessionClosing(session: Session, reason: CloseReason): void {
    this.#host.jetStream?.sessionClosed?.(session);
    this.#report({ kind: 'closed', connection: connectionInfo(session), reason });
  }

  #sessionGone(session: Session): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#emptied?.();
  }

  readonly #lookAfterSessions = (): void => {
    this.#sweep = undefined;
    const nowMs = this.#host.clock.monotonic();
    for (const session of this.#sessions) if (!session.closed) this.#lookAfter(session, nowMs);
    if (this.#sessions.size > 0)
      this.#sweep = this.#host.clock.setTimer(this.#sweepMs, this.#lookAfterSessions);
  };

  #lookAfter(session: Session, nowMs: number): void {
    const { limits } = this.#host;
    const { output } = session;
    const stuck = output.busy && nowMs - output.busySinceMs >= limits.writeDeadlineMs;
    const holding = output.overfull && nowMs - output.overfullSinceMs >= limits.writeDeadlineMs;
    if (stuck || holding) {
      session.close({ kind: 'slow-consumer', pendingBytes: output.pendingBytes });
    } else if (nowMs >= session.authDueMs) {
      session.fail(ErrorText.authenticationTimeout);
    } else if (nowMs >= session.pingDueMs) {
      session.pingDueMs = nowMs + limits.pingIntervalMs;
      if (session.heard || session.isHeld) {
        session.heard = false;
        session.pingsOut = 0;
      } else if (session.pingsOut >= limits.pingsOutMax) {
        session.fail(ErrorText.staleConnection);
      } else {
        session.sendPing();
      }
    }
  }
}

function connectionInfo(session: Session): ConnectionInfo {
  return {
    id: session.id,
    address: session.remoteAddress,
    name: session.clientName,
    language: session.clientLanguage,
    version: session.clientVersion,
    connectedMs: session.connectedMs,
    subscriptions: session.subscriptions.size,
    inMessages: session.inMessages,
    inBytes: session.inBytes,
    outMessages: session.output.messages,
    outBytes: session.output.sentBytes,
    pendingBytes: session.output.pendingBytes,
  };
}
