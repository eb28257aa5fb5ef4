import type { Socket } from 'node:net';
import type { Broker } from '../../broker/index.ts';
import { SystemClock, SystemRandom, type Clock, type Random } from '../../util/index.ts';
import { apis, type AnyApi, type ApiName } from '../../wire/kafka/index.ts';
import { Hall, Listener, Sessions, type TlsGuard } from '../connections/index.ts';
import type { Frontend, ListenOptions } from '../frontend.ts';
import { untilCommitted } from '../last-commit.ts';
import { Users } from '../users/index.ts';
import { kafkaSettings, type KafkaSettings } from './kafka-settings.ts';
import { GroupCoordinator, limitsOfSettings, type GroupLimits } from './groups/index.ts';
import { DeletedNames } from './deleted-names.ts';
import { handlers } from './handlers/index.ts';
import type { AutoCreation, Endpoint, KafkaHost } from './kafka-host.ts';
import { kafkaLimits, type KafkaLimits } from './limits.ts';
import {
  Acls,
  Authorizer,
  grantsOf,
  kafkaSource,
  KeptUsers,
  PrincipalMapping,
  restoreUsers,
  defaultAclLimits,
  superUsersOf,
  type AclLimits,
} from './security/index.ts';
import { QuotaMeters, Quotas } from './quotas/index.ts';
import type { SessionHost } from './session-host.ts';
import { Session, type CloseReason, type KafkaConnectionInfo } from './session.ts';
import { OffsetsTopic } from './offsets-topic.ts';
import { DerivedTopicIds } from './topic-ids.ts';
import { ShownTopicNames } from './topic-names.ts';

export interface KafkaOptions {
  readonly broker: Broker;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Shared with the other frontends of a server; by default its own. */
  readonly hall?: Hall;
  readonly limits?: Partial<KafkaLimits>;
  readonly groupLimits?: Partial<GroupLimits>;
  /** The settings that have Kafka's own names. */
  readonly settings?: Partial<KafkaSettings>;
  /** Shared with the other frontends of a server. Default: no users, so that every client may connect. */
  readonly users?: Users;
  readonly aclLimits?: Partial<AclLimits>;
  readonly keptUsersMax?: number;
  /** Default: no TLS. */
  readonly tls?: TlsGuard;
  /** The address given to clients to connect to; by default the one by which each client connected. */
  readonly advertised?: Endpoint;
  readonly autoCreation?: Partial<AutoCreation>;
  /** Reports events to operators. */
  readonly report?: (event: KafkaEvent) => void;
}

export type KafkaEvent =
  | { readonly kind: 'connected'; readonly connection: KafkaConnectionInfo }
  | { readonly kind: 'closed'; readonly connection: KafkaConnectionInfo; readonly reason: CloseReason };

/** Longest interval between checks of the connections' deadlines. */
const sweepMsMax = 1_000;
/** Limit for the users, client ids and pairs of them with quotas. */
const quotaEntitiesMax = 10_000;
/** Limit for the users that Kafka clients may add. */
const keptUsersMax = 10_000;
/** Largest read from a connection. */
const readBytes = 256 * 1024;

/** The Kafka frontend accepts Kafka clients, as the one broker of a cluster, and manages their sessions. */
export class KafkaFrontend implements Frontend {
  readonly name = 'kafka';
  readonly #host: SessionHost;
  readonly #coordinator: GroupCoordinator;
  readonly #deletedNames: DeletedNames;
  readonly #hall: Hall;
  readonly #listener: Listener;
  readonly #tls: TlsGuard | undefined;
  readonly #sessions: Sessions<Session>;
  readonly #report: (event: KafkaEvent) => void;
  readonly #forgetUsers: () => void;

  constructor(options: KafkaOptions) {
    const { broker } = options;
    const clock = options.clock ?? new SystemClock();
    const random = options.random ?? new SystemRandom();
    const limits = kafkaLimits(options.limits);
    const settings = kafkaSettings(options.settings);
    const users = options.users ?? new Users();
    const topicIds = new DerivedTopicIds(broker);
    const topicNames = new ShownTopicNames(broker);
    const acls = new Acls(broker.attributes, { ...defaultAclLimits, ...options.aclLimits });
    const aclsChanged = (): void => users.grant(kafkaSource, grantsOf(acls));
    const keptUsers = new KeptUsers(broker.attributes, options.keptUsersMax ?? keptUsersMax);
    const quotas = new Quotas(broker.attributes, quotaEntitiesMax);
    const keptUsersChanged = (): void => users.keep(kafkaSource, [...keptUsers]);
    restoreUsers(broker, users);
    this.#forgetUsers = users.onChange(() => {
      for (const session of this.#sessions) session.renewLogin();
    });
    this.#report = options.report ?? (() => {});
    const hall = (this.#hall = options.hall ?? new Hall(clock));
    this.#sessions = new Sessions({
      registry: hall.registry,
      clock,
      connectionsMax: limits.connectionsMax,
      sweepMs: Math.min(
        sweepMsMax,
        limits.writeDeadlineMs / 4,
        limits.authTimeoutMs / 2,
        limits.idleMsMax / 2,
      ),
      lookAfter: (session, nowMs) => this.#lookAfter(session, nowMs),
    });
    this.#coordinator = new GroupCoordinator({
      broker,
      clock,
      random,
      topicIds,
      topicNames,
      limits: { ...limitsOfSettings(settings), ...options.groupLimits },
    });
    this.#deletedNames = new DeletedNames(broker, clock, limits.recreateDelayMs);
    const kafka: KafkaHost = {
      broker,
      hall,
      clock,
      random,
      limits,
      clusterId: Buffer.from(broker.uuid).toString('base64url'),
      nodeId: settings['node.id'],
      settings,
      advertisedApis: advertisedApis(),
      autoCreation: { enabled: true, partitions: 1, ...options.autoCreation },
      topicIds,
      topicNames,
      deletedNames: this.#deletedNames,
      acls,
      quotas,
      quotaMeters: new QuotaMeters(quotas, clock),
      aclsChanged,
      users,
      keptUsers,
      keptUsersChanged,
      coordinator: this.#coordinator,
      offsetsTopic: new OffsetsTopic(
        topicIds.ofOffsetsTopic,
        settings['offsets.topic.num.partitions'],
        this.#coordinator,
      ),
    };
    this.#host = {
      kafka,
      users,
      principals: new PrincipalMapping(settings['ssl.principal.mapping.rules']),
      authorizer: new Authorizer({
        acls,
        users,
        superUsers: superUsersOf(settings),
        isOpenWithoutAcl: settings['allow.everyone.if.no.acl.found'] === 'true',
        topicNameOf: (shown) => topicNames.topic(shown)?.name ?? shown,
      }),
      turns: hall.turns,
      logins: hall.logins,
      answerRoom: hall.room,
      readBuffer: Buffer.allocUnsafeSlow(readBytes),
      advertised: options.advertised,
      closing: (session, reason) => this.#sessionClosing(session, reason),
      gone: (session) => this.#sessions.remove(session),
    };
    this.#listener = Listener.for((socket) => this.accept(socket));
    this.#tls = options.tls;
  }

  get authenticates(): boolean {
    return this.#host.users.requires('kafka');
  }

  get connections(): number {
    return this.#sessions.size;
  }

  listConnections(): KafkaConnectionInfo[] {
    return Array.from(this.#sessions, (session) => session.info());
  }

  /** Listens on a port of its own, for a broker of one protocol. */
  listen(options: ListenOptions): Promise<{ readonly port: number }> {
    return this.#listener.listen(options);
  }

  /**
   * Changes that are on their way to the disk are answered if that takes no longer than the grace period.
   * Requests that wait for records are not waited for.
   */
  async close({ graceMs = 0 }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#sessions.shut();
    void this.#listener.close();
    this.#tls?.close();
    for (const session of this.#sessions) session.hold();
    if (graceMs > 0 && this.#sessions.size > 0) await untilCommitted(this.#host.kafka.broker, graceMs);
    this.#coordinator.close();
    this.#deletedNames.close();
    this.#forgetUsers();
    for (const session of this.#sessions) session.close({ kind: 'stopping' });
    if (graceMs > 0) await this.#sessions.empty(graceMs);
    for (const session of this.#sessions) session.cut();
    await this.#sessions.ended();
  }

  accept(socket: Socket): void {
    this.#host.turns.accepted();
    if (!this.#sessions.hasRoom(this.#tls?.handshakes)) this.#hall.refusals.refuse(socket);
    else if (this.#tls) this.#tls.secure(socket, (secured) => this.#letIn(secured));
    else this.#letIn(socket);
  }

  #letIn(socket: Socket): void {
    // The frontend may have begun to close meanwhile.
    if (!this.#sessions.hasRoom()) {
      this.#hall.refusals.refuse(socket);
      return;
    }
    const session = new Session(this.#host, socket, this.#sessions.nextId());
    this.#sessions.add(session);
    this.#report({ kind: 'connected', connection: session.info() });
  }

  #sessionClosing(session: Session, reason: CloseReason): void {
    this.#report({ kind: 'closed', connection: session.info(), reason });
  }

  #lookAfter(session: Session, nowMs: number): void {
    const { writeDeadlineMs, idleMsMax } = this.#host.kafka.limits;
    session.noteProgress(nowMs);
    if (session.pendingBytes > 0 && nowMs - session.wroteMs >= writeDeadlineMs) session.cutSlow();
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
