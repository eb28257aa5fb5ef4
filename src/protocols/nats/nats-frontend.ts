import type { Socket } from 'node:net';
import type { Router } from '../../broker/index.ts';
import { SystemClock, SystemRandom, type Clock, type Random } from '../../util/index.ts';
import { FrameWriter, type ServerInfo } from '../../wire/nats/index.ts';
import { Flusher, Hall, Listener, Sessions, type TlsGuard } from '../connections/index.ts';
import type { Frontend, ListenOptions } from '../frontend.ts';
import { Users } from '../users/index.ts';
import { ErrorText } from './errors.ts';
import { infoFor, serverInfo, withNonce } from './info.ts';
import { makeNonce } from './nkey-login.ts';
import type { JetStream } from './jetstream-door.ts';
import { natsLimits, type NatsLimits } from './limits.ts';
import type { SessionHost } from './session-host.ts';
import { Session, type CloseReason, type Greeting, type NatsConnectionInfo } from './session.ts';

export interface NatsOptions {
  readonly router: Router;
  /** Absent: core NATS only. */
  readonly jetStream?: JetStream;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly limits?: Partial<NatsLimits>;
  /** Shared with the other frontends of a server. Default: no users, so every client may connect. */
  readonly users?: Users;
  readonly serverName?: string;
  /** That of Pillarbox, in INFO. */
  readonly version?: string;
  /** Default: no TLS. */
  readonly tls?: TlsGuard;
  /** Clients begin with TLS; otherwise INFO is sent to them before it. */
  readonly tlsFirst?: boolean;
  /** Shared with the other frontends of a server. Default: its own. */
  readonly hall?: Hall;
  /** Called with events for operators. */
  readonly report?: (event: NatsEvent) => void;
}

export type NatsEvent =
  | { readonly kind: 'connected'; readonly connection: NatsConnectionInfo }
  | { readonly kind: 'closed'; readonly connection: NatsConnectionInfo; readonly reason: CloseReason };

/** Bytes of one read from a connection. */
const readBytes = 128 * 1024;

/** The interval at which pings and deadlines are checked. */
const sweepMsMax = 1_000;

/** The NATS frontend takes the connections of NATS clients and runs their sessions. */
export class NatsFrontend implements Frontend {
  readonly name = 'nats';
  readonly #host: SessionHost & { info: ServerInfo };
  readonly #hall: Hall;
  readonly #listener: Listener;
  readonly #tls: TlsGuard | undefined;
  readonly #tlsFirst: boolean;
  readonly #sessions: Sessions<Session>;
  readonly #forgetUsers: () => void;
  readonly #report: (event: NatsEvent) => void;

  constructor(options: NatsOptions) {
    const clock = options.clock ?? new SystemClock();
    const random = options.random ?? new SystemRandom();
    const limits = natsLimits(options.limits);
    const users = options.users ?? new Users();
    const serverId = `P${Buffer.from(random.bytes(20)).toString('hex').toUpperCase()}`;
    this.#report = options.report ?? (() => {});
    const hall = (this.#hall = options.hall ?? new Hall(clock));
    this.#sessions = new Sessions({
      registry: hall.registry,
      clock,
      connectionsMax: limits.connectionsMax,
      sweepMs: Math.min(
        sweepMsMax,
        limits.pingIntervalMs / 2,
        limits.writeDeadlineMs / 4,
        limits.authTimeoutMs / 2,
      ),
      lookAfter: (session, nowMs) => this.#lookAfter(session, nowMs),
    });
    this.#host = {
      router: options.router,
      jetStream: options.jetStream,
      clock,
      flusher: new Flusher(clock),
      turns: hall.turns,
      room: hall.room,
      logins: hall.logins,
      readBuffer: Buffer.allocUnsafeSlow(readBytes),
      limits,
      users,
      info: serverInfo({
        serverId,
        serverName: options.serverName ?? serverId,
        ...(options.version === undefined ? {} : { version: options.version }),
        host: '',
        port: 0,
        payloadBytesMax: limits.payloadBytesMax,
        jetStream: options.jetStream !== undefined,
        authRequired: requiresCredentials(users),
        tls: options.tls && { verifies: options.tls.asksForCertificates },
      }),
      closing: (session, reason) => this.#sessionClosing(session, reason),
      gone: (session) => this.#sessions.remove(session),
    };
    this.#forgetUsers = users.onChange(() => this.#usersChanged());
    this.#listener = Listener.for((socket) => this.accept(socket));
    this.#tls = options.tls;
    this.#tlsFirst = options.tlsFirst === true;
  }

  get authenticates(): boolean {
    return this.#host.users.requires('nats');
  }

  get connections(): number {
    return this.#sessions.size;
  }

  /** Number of live subscriptions of all connections. */
  get subscriptions(): number {
    let count = 0;
    for (const session of this.#sessions) count += session.subscriptions.size;
    return count;
  }

  listConnections(): NatsConnectionInfo[] {
    return Array.from(this.#sessions, (session) => session.info());
  }

  /** Listens without a door, for a broker of one protocol. */
  async listen(options: ListenOptions): Promise<{ readonly port: number }> {
    const { port } = await this.#listener.listen(options);
    this.listening({ host: options.host, port });
    return { port };
  }

  listening({ host, port }: ListenOptions): void {
    this.#host.info = { ...this.#host.info, host, port };
  }

  async close({ graceMs = 0 }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#sessions.shut();
    this.#forgetUsers();
    void this.#listener.close();
    this.#tls?.close();
    for (const session of this.#sessions) if (session.takesInfo && !session.closed) session.sendInfo(true);
    this.#host.jetStream?.stopping?.();
    if (graceMs > 0) await this.#sessions.empty(graceMs);
    this.#host.jetStream?.stopping?.();
    for (const session of this.#sessions) session.close({ kind: 'stopping' });
    await this.#sessions.ended();
  }

  accept(socket: Socket): void {
    this.#host.turns.accepted();
    if (!this.#sessions.hasRoom(this.#tls?.handshakes)) return this.#refuse(socket);
    const id = this.#sessions.nextId();
    const nonce = this.#host.users.hasNkeys ? makeNonce() : undefined;
    if (!this.#tls) return this.#letIn(socket, id, { nonce });
    const address = socket.remoteAddress ?? '';
    if (!this.#tlsFirst) socket.write(infoFor(this.#host.info, id, address, withNonce(nonce)));
    // A client that got INFO before TLS does not expect it again.
    this.#tls.secure(socket, (secured) => this.#letIn(secured, id, { greets: this.#tlsFirst, nonce }));
  }

  #refuse(socket: Socket): void {
    this.#hall.refusals.refuse(socket, new FrameWriter().error(ErrorText.connectionsExceeded).take());
  }

  #letIn(socket: Socket, id: number, greeting: Greeting): void {
    // The frontend may have begun to close, or become full, during the handshake.
    if (!this.#sessions.hasRoom()) return this.#refuse(socket);
    const session = new Session(this.#host, socket, id, greeting);
    this.#sessions.add(session);
    this.#report({ kind: 'connected', connection: session.info() });
  }

  #usersChanged(): void {
    const { auth_required: _, ...rest } = this.#host.info;
    const required = requiresCredentials(this.#host.users);
    this.#host.info = { ...rest, ...(required && { auth_required: true }) };
    for (const session of this.#sessions) session.renewLogin();
  }

  #sessionClosing(session: Session, reason: CloseReason): void {
    this.#host.jetStream?.sessionClosed?.(session);
    this.#report({ kind: 'closed', connection: session.info(), reason });
  }

  #lookAfter(session: Session, nowMs: number): void {
    if (session.closed) return;
    const { limits } = this.#host;
    const { output } = session;
    const stuck = output.busy && nowMs - output.busySinceMs >= limits.writeDeadlineMs;
    const holding = output.overfull && nowMs - output.overfullSinceMs >= limits.writeDeadlineMs;
    if (stuck || holding) {
      session.close({ kind: 'slow-consumer', pendingBytes: output.pendingBytes });
    } else if (nowMs >= session.authDueMs && !session.awaitsLogin) {
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

/**
 * Whether INFO shows `auth_required`. As in nats-server, it does not if clients without credentials have a
 * user.
 */
function requiresCredentials(users: Users): boolean {
  return users.requires('nats') && users.anonymousLogin('nats') === undefined;
}
