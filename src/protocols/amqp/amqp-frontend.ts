import type { Socket } from 'node:net';
import type { Broker } from '../../broker/index.ts';
import { Flusher, Hall, Listener, Sessions, type TlsGuard } from '../connections/index.ts';
import type { Frontend, ListenOptions } from '../frontend.ts';
import { untilCommitted } from '../last-commit.ts';
import { Users } from '../users/index.ts';
import { Blockade } from './blockade.ts';
import type { CloseReason } from './close-reason.ts';
import { routeDeadLetters } from './dead-letters.ts';
import { DirectReplies } from './direct-replies.ts';
import { AmqpError } from './errors.ts';
import { amqpLimits, type AmqpLimits } from './limits.ts';
import { endsOf, type ConnectionEnds, type ManagedAmqp } from './managed.ts';
import type { SessionHost } from './session-host.ts';
import { Session, type AmqpConnectionInfo } from './session.ts';
import { VirtualHosts, type VirtualHost } from './vhosts/index.ts';

export interface AmqpOptions {
  readonly broker: Broker;
  readonly limits?: Partial<AmqpLimits>;
  /** Shared with the other frontends of a server. Default: no users, so every client may connect. */
  readonly users?: Users;
  /** Default: no TLS. */
  readonly tls?: TlsGuard;
  /** Shared with the other frontends of a server. Default: its own. */
  readonly hall?: Hall;
  /** Called with events for operators. */
  readonly report?: (event: AmqpEvent) => void;
}

export type AmqpEvent =
  | { readonly kind: 'connected'; readonly connection: AmqpConnectionInfo }
  | { readonly kind: 'closed'; readonly connection: AmqpConnectionInfo; readonly reason: CloseReason };

/** Bytes of one read from a connection. */
const readBytes = 128 * 1024;

/** The interval at which heartbeats and deadlines are checked. */
const sweepMsMax = 1_000;

/** The AMQP frontend takes the connections of AMQP clients and runs their sessions. */
export class AmqpFrontend implements Frontend {
  readonly name = 'amqp';
  readonly virtualHosts: VirtualHosts;
  readonly #host: SessionHost;
  readonly #hall: Hall;
  readonly #listener: Listener;
  readonly #tls: TlsGuard | undefined;
  readonly #sessions: Sessions<Session>;
  readonly #forgetUsers: () => void;
  readonly #endRoute: () => void;
  readonly #report: (event: AmqpEvent) => void;
  /** The ends of the open connections, for people. */
  readonly #ends = new WeakMap<Session, ConnectionEnds>();
  #address: ListenOptions | undefined = undefined;

  constructor({ broker, tls, report = () => {}, ...options }: AmqpOptions) {
    const { clock } = broker;
    const limits = amqpLimits(options.limits);
    const users = options.users ?? new Users();
    const hall = (this.#hall = options.hall ?? new Hall(clock));
    this.#report = report;
    this.#tls = tls;
    this.#sessions = new Sessions({
      registry: hall.registry,
      clock,
      connectionsMax: limits.connectionsMax,
      sweepMs: Math.min(sweepMsMax, limits.handshakeMs / 4, limits.writeDeadlineMs / 4),
      lookAfter: (session, nowMs) => session.lookAfter(nowMs),
    });
    this.virtualHosts = new VirtualHosts({
      broker,
      consumerTimeoutMs: limits.consumerTimeoutMs,
      bindingsMax: limits.bindingsMax,
      deleted: (vhost) => this.#endSessionsIn(vhost),
    });
    this.#host = {
      broker,
      exchanges: this.virtualHosts.plain.exchanges,
      queues: this.virtualHosts.plain.queues,
      targets: this.virtualHosts.plain.targets,
      inVhost: (name) => this.#hostIn(name),
      replies: new DirectReplies(broker.random),
      blockade: new Blockade(broker),
      clock,
      flusher: new Flusher(clock),
      turns: hall.turns,
      room: hall.room,
      logins: hall.logins,
      readBuffer: Buffer.allocUnsafeSlow(readBytes),
      limits,
      users,
      asksForCertificates: tls?.asksForCertificates === true,
      closing: (session, reason) => this.#report({ kind: 'closed', connection: session.info(), reason }),
      gone: (session) => this.#sessions.remove(session),
    };
    this.#endRoute = routeDeadLetters(broker, (topic) => this.virtualHosts.of(topic).exchanges);
    this.#forgetUsers = users.onChange(() => {
      for (const session of this.#sessions) session.renewLogin();
    });
    this.#listener = Listener.for((socket) => this.accept(socket));
  }

  get authenticates(): boolean {
    return this.#host.users.requires('amqp');
  }

  get connections(): number {
    return this.#sessions.size;
  }

  listConnections(): AmqpConnectionInfo[] {
    return Array.from(this.#sessions, (session) => session.info());
  }

  /** What the management API shows and changes. */
  get managed(): ManagedAmqp {
    const { broker, exchanges, queues, limits } = this.#host;
    const address = (): ListenOptions | undefined => this.#address;
    return {
      broker,
      exchanges,
      queues,
      virtualHosts: this.virtualHosts,
      limits,
      get address() {
        return address();
      },
      isSecured: this.#tls !== undefined,
      admit: (stream) => this.#letIn(stream, this.#sessions.nextId()),
      connections: () =>
        Array.from(this.#sessions, (session) => ({ session, ends: this.#ends.get(session)! })),
    };
  }

  listening(address: ListenOptions): void {
    this.#address = address;
  }

  /** Listens without a door, for a broker of one protocol. */
  async listen(options: ListenOptions): Promise<{ readonly port: number }> {
    const { port } = await this.#listener.listen(options);
    this.listening({ host: options.host, port });
    return { port };
  }

  /**
   * Publishes that are on their way to the disk are confirmed, and transactions answered, if that takes no
   * longer than the grace period.
   */
  async close({ graceMs = 0 }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#sessions.shut();
    this.#forgetUsers();
    void this.#listener.close();
    this.#tls?.close();
    for (const session of this.#sessions) session.hold();
    if (graceMs > 0 && this.#sessions.size > 0) await untilCommitted(this.#host.broker, graceMs);
    // AMQP has no word for "go elsewhere soon": clients connect again when they are told to leave.
    const stopping = new AmqpError(
      'CONNECTION_FORCED',
      "broker forced connection closure with reason 'shutdown'",
    );
    for (const session of this.#sessions) session.fail(stopping, { kind: 'stopping' });
    if (graceMs > 0) await this.#sessions.empty(graceMs);
    for (const session of this.#sessions) session.close({ kind: 'stopping' });
    await this.#sessions.ended();
    this.#endRoute();
    this.virtualHosts.close();
  }

  #hostIn(name: string): SessionHost | undefined {
    const vhost = this.virtualHosts.get(name);
    return (
      vhost && { ...this.#host, exchanges: vhost.exchanges, queues: vhost.queues, targets: vhost.targets }
    );
  }

  #endSessionsIn({ name, queues }: VirtualHost): void {
    for (const session of this.#sessions)
      if (session.host.queues === queues)
        session.fail(new AmqpError('CONNECTION_FORCED', `vhost '${name}' is deleted`));
  }

  accept(socket: Socket): void {
    this.#host.turns.accepted();
    if (!this.#sessions.hasRoom(this.#tls?.handshakes)) return this.#hall.refusals.refuse(socket);
    const id = this.#sessions.nextId();
    if (!this.#tls) return this.#letIn(socket, id);
    this.#tls.secure(socket, (secured) => this.#letIn(secured, id));
  }

  #letIn(socket: Socket, id: number): void {
    // The frontend may have begun to close, or become full, during the handshake.
    if (!this.#sessions.hasRoom()) return this.#hall.refusals.refuse(socket);
    const ends = endsOf(socket);
    const session = new Session(this.#host, socket, id);
    this.#ends.set(session, ends);
    this.#sessions.add(session);
    this.#report({ kind: 'connected', connection: session.info() });
  }
}
