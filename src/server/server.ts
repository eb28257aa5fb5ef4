import { resolve } from 'node:path';
import type { Broker, ClockJump, LogError } from '../broker/index.ts';
import { type Door, Hall, Users, inTurns, protocols, type TurnTaker } from '../protocols/index.ts';
import { rfc3339 } from '../util/index.ts';
import { checkExposure, listenError } from './address.ts';
import type { Alarms } from './alarms/index.ts';
import type { AdminHttp } from './admin/index.ts';
import { descriptorsMax, shareDescriptors } from './descriptors.ts';
import { ServerError, systemErrorCode } from './errors.ts';
import { createDoors, openDoors } from './doors.ts';
import type { Tracing } from './tracing/index.ts';
import type { HistoryRecorder } from './history/index.ts';
import { type Log, silentLog } from './log.ts';
import type { Storage } from './open-broker.ts';
import { type Ports, removePortsFile, writePortsFile } from './ports-file.ts';
import { type Configuration, originsOf, settingsOf } from './config.ts';
import { DeadLetterCauses } from './dead-letter-causes.ts';
import { CommitWaits } from './commit-waits.ts';
import { Rounds } from './rounds.ts';
import { RuntimeFigures } from './runtime-figures.ts';
import { defineSchedules } from './configured-schedules.ts';
import { scheduleOptions } from './schedule-settings.ts';
import { type Settings, settingTable } from './settings.ts';
import { adminGuard, TlsGuards } from './tls-guards.ts';
import { logTopics } from './topic-lines.ts';
import { configuredUsers } from './users.ts';

/** All settings have defaults; see docs/configuration.md. */
export interface ServerOptions extends Partial<Settings> {
  /** Silent by default. */
  readonly log?: Log;
  /** The version that the admin HTTP shows. */
  readonly version?: string;
  /** `memory`: the server leaves nothing behind, and ignores `data`. Default `disk`. */
  readonly storage?: Storage;
  /** Where the settings come from, as `loadConfiguration` says, for operators to see. */
  readonly configuration?: Pick<Configuration, 'origins' | 'file'>;
}

/** The ports that a server listens on. */
export type ServerPorts = Omit<Ports, 'pid'>;

/** A Pillarbox server is a broker with the protocols and the admin HTTP in front of it. */
export interface PillarboxServer extends AsyncDisposable {
  readonly broker: Broker;
  readonly settings: Settings;
  /** The absolute path. */
  readonly dataDirectory: string;
  /** The ports in use: as requested, or free ones for 0. */
  readonly ports: ServerPorts;
  /**
   * Resolves when a write or sync of the log has failed. This is final: nothing is acknowledged any more, and
   * the process should end.
   */
  readonly failed: Promise<ServerError>;
  /**
   * Reads certificates and keys again; new connections use them. If they do not fit, rejects with a
   * ServerError and keeps the old ones.
   */
  renewTls(): Promise<void>;
  /**
   * Takes over the users of these settings, and ignores all other settings. Existing connections get the new
   * permissions of their users, or are closed. If the settings do not fit, rejects with a ServerError and
   * changes nothing.
   */
  renewUsers(settings: Partial<Settings>): Promise<void>;
  /**
   * Stops in order: refuses new clients, lets present clients finish, and brings everything to disk. A second
   * call has no further effect.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** Rates are averages that are updated when they are read, so they are read regularly. */
const sampleMs = 2000;
const commitWaitMs = 1000;
/** The last spans may take so long to their collector, or as long as clients may take to leave. */
const tracingCloseMs = 500;

/**
 * Starts a server and resolves when all of it listens. If that fails, closes everything and rejects with a
 * ServerError.
 */
export async function startServer(options: ServerOptions = {}): Promise<PillarboxServer> {
  const { log = silentLog, version = '0.0.0', storage = 'disk', configuration, ...given } = options;
  const settings = settingsOf(given);
  const { origins, file } = configuration ?? { origins: originsOf(given), file: undefined };
  await checkExposure(settings);
  const server = new Server({ settings, origins, file, warnings: [] }, log, version, storage);
  try {
    await server.start();
  } catch (error) {
    await server.close({ graceMs: 0 }).catch(() => {});
    throw error;
  }
  return server;
}

class Server implements PillarboxServer {
  readonly settings: Settings;
  readonly dataDirectory: string;
  readonly failed: Promise<ServerError>;
  readonly #configuration: Configuration;
  readonly #log: Log;
  readonly #version: string;
  readonly #storage: Storage;
  readonly #startedMs = Date.now();
  #fail: (error: ServerError) => void = () => {};
  #broker: Broker | undefined;
  readonly #users = new Users();
  #doors: readonly Door[] = [];
  #guards: TlsGuards | undefined;
  #admin: AdminHttp | undefined;
  #recorder: HistoryRecorder | undefined;
  #hasPortsFile = false;
  #alarms: Alarms | undefined;
  #tracing: Tracing | undefined;
  readonly #runtime = new RuntimeFigures();
  readonly #samplings: NodeJS.Timeout[] = [];
  #rounds: Rounds | undefined;
  #closed: Promise<void> | undefined;

  constructor(configuration: Configuration, log: Log, version: string, storage: Storage) {
    const { settings } = configuration;
    this.settings = settings;
    this.#configuration = configuration;
    this.dataDirectory = storage === 'memory' ? '/memory' : resolve(settings.data);
    this.#log = log;
    this.#version = version;
    this.#storage = storage;
    this.failed = new Promise((resolve) => (this.#fail = resolve));
  }

  get broker(): Broker {
    if (!this.#broker) throw new Error('the server has not started');
    return this.#broker;
  }

  get ports(): ServerPorts {
    const ports = this.#doors.map(({ name, port }) => [name, port ?? 0] as const);
    return { ...Object.fromEntries(ports), admin: this.#admin?.port ?? 0 };
  }

  async start(): Promise<void> {
    // A file of a run that was killed would name ports that are closed by now.
    if (this.settings.portsFile !== undefined) await removePortsFile(this.settings.portsFile);
    // Code is loaded while the disk works: opening the broker and loading the frontends overlap.
    const { openBroker } = await import('./open-broker.ts');
    const adminModule = import('./admin/index.ts');
    const alarmsModule = import('./alarms/index.ts');
    adminModule.catch(() => {});
    alarmsModule.catch(() => {});
    const shares = shareDescriptors(descriptorsMax());
    const { broker, syncTimes } = await openBroker(
      this.settings,
      this.dataDirectory,
      { openFilesMax: shares.openFilesMax, storage: this.#storage },
      {
        onFailed: (error) => this.#onFailed(error),
        onDamaged: (report) => this.#log.error(`damage found: ${report.message}`, { ...report }),
        onClockJumped: (jump) => this.#onClockJumped(jump),
      },
    );
    this.#broker = broker;
    const { adminHost, adminPort, adminToken, portsFile } = this.settings;
    const hall = new Hall(broker.clock, {
      connectionsMax: this.settings.connectionsMax ?? shares.connectionsMax,
      loginDelayMsMax: this.settings.loginDelayMsMax,
      ...(this.settings.unreadBytesMax === undefined ? {} : { unreadBytesMax: this.settings.unreadBytesMax }),
    });
    const { settings, dataDirectory } = this;
    if (settings.tracingEndpoint !== undefined) {
      const { openTracing } = await import('./tracing/index.ts');
      const { tracingEndpoint: endpoint, tracingRatio: ratio } = settings;
      const traced = { broker, registry: hall.registry, endpoint, ratio, environment: process.env };
      this.#tracing = openTracing({ ...traced, version: this.#version, log: this.#log });
      hall.batchesRead = (...read) => this.#tracing?.fetched(...read);
    }
    // A broker in memory leaves nothing on disk.
    const keptIn = this.#storage === 'memory' ? undefined : dataDirectory;
    const context = { broker, hall, settings, dataDirectory, keptIn, syncTimes, log: this.#log };
    this.#alarms = await (await alarmsModule).openAlarms(context);
    logTopics(broker, this.#log);
    const { init } = this.settings;
    if (init !== undefined) await (await adminModule).applyInitFile(broker, init, this.#log);
    await defineSchedules(broker, scheduleOptions(this.settings.schedules ?? []), this.#log);
    this.#guards = await TlsGuards.read(this.settings);
    const users = this.#users;
    users.configure(configuredUsers(this.settings));
    for (const protocol of protocols) protocol.restoreUsers?.(broker, users);
    this.#doors = createDoors(broker, hall, users, this.settings, this.#log, this.#guards, this.#version);
    if (shares.isScarce) {
      const loadMetrics = async (): Promise<unknown> => (await adminModule).loadMetrics();
      await Promise.all([loadMetrics(), ...this.#doors.map((door) => door.load())]);
    }
    await openDoors(this.#doors, this.settings);

    const { HistoryRecorder, OldestTimes, Sessions, listenAdminHttp, routes } = await adminModule;
    const commitWaits = new CommitWaits(broker);
    const deadLetterCauses = new DeadLetterCauses(broker);
    const sessions = new Sessions();
    this.#recorder = new HistoryRecorder(broker, syncTimes, {
      stepMs: this.settings.historyStepMs,
      seriesMax: this.settings.historyMax,
      directory: keptIn,
      log: this.#log,
    });
    await this.#recorder.start();
    this.#admin = await listenAdminHttp({
      routes,
      context: {
        broker,
        syncTimes,
        alarms: this.#alarms,
        runtime: this.#runtime,
        commitWaits,
        deadLetterCauses,
        doors: this.#doors,
        connections: hall.registry,
        users,
        door: {
          token: adminToken,
          metricsToken: this.settings.metricsToken,
          users,
          hall,
          sessions,
        },
        settings: this.settings,
        configuration: this.#configuration,
        version: this.#version,
        dataDirectory: this.dataDirectory,
        startedMs: this.#startedMs,
        ports: () => this.ports,
        isStopping: () => this.#closed !== undefined,
        adminConnections: () => this.#admin?.connections ?? 0,
        oldestTimes: new OldestTimes(),
        recorder: this.#recorder,
        streams: { open: 0, max: this.settings.adminStreamsMax },
      },
      host: adminHost,
      port: adminPort,
      token: adminToken,
      metricsToken: this.settings.metricsToken,
      users,
      sessions,
      basePath: this.settings.adminBasePath,
      tls: this.#guards.of(adminGuard),
      connectionsMax: shares.adminConnectionsMax,
      hall,
      onError: (error, request) => this.#log.error('an admin request failed', { request, error }),
    }).catch((error: unknown) => {
      throw listenError(error, 'the admin HTTP', adminHost, adminPort, `--${settingTable.adminPort.name}`);
    });

    this.#alarms.start();
    this.#runtime.start();
    this.#sample(sampleMs, () => this.#runtime.sample());
    this.#sample(commitWaitMs, () => commitWaits.sample());
    this.#startRounds(broker, hall, this.#recorder);
    if (portsFile !== undefined) {
      this.#hasPortsFile = true;
      await writePortsFile(portsFile, { pid: process.pid, ...this.ports });
    }
  }

  #startRounds(broker: Broker, hall: Hall, recorder: HistoryRecorder): void {
    const rounds = (this.#rounds = new Rounds(hall));
    const onError = (error: unknown): void =>
      this.#log.error('the rates of topics and groups could not be sampled', { error });
    rounds.every(sampleMs, (taker) => sampleRates(broker, taker), onError);
    const { historyStepMs } = this.settings;
    rounds.every(historyStepMs, (taker) => recorder.sample(Date.now(), taker), onError);
  }

  #sample(everyMs: number, take: () => void): void {
    const sampling = setInterval(take, everyMs);
    sampling.unref();
    this.#samplings.push(sampling);
  }

  async renewTls(): Promise<void> {
    await this.#guards?.renew();
  }

  async renewUsers(given: Partial<Settings>): Promise<void> {
    const users = configuredUsers(settingsOf(given, ['log', 'version']));
    await checkExposure(this.settings, new Users(users));
    this.#users.configure(users);
  }

  close({ graceMs = this.settings.stopGraceMs }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * The admin HTTP is closed after the clients, so that operators can watch the drain, and the broker last.
   */
  async #close(graceMs: number): Promise<void> {
    for (const sampling of this.#samplings) clearInterval(sampling);
    this.#rounds?.stop();
    this.#runtime.stop();
    await this.#alarms?.stop();
    if (this.#hasPortsFile && this.settings.portsFile !== undefined)
      await removePortsFile(this.settings.portsFile);
    await Promise.all(this.#doors.map((door) => door.close({ graceMs })));
    await this.#admin?.close({ graceMs: Math.min(graceMs, 1000) });
    await this.#recorder?.close();
    await this.#broker?.close();
    await this.#tracing?.close(Math.max(graceMs, tracingCloseMs));
  }

  #onClockJumped({ byMs, beforeMs, afterMs }: ClockJump): void {
    const direction = byMs > 0 ? 'ahead' : 'back';
    const seconds = Math.round(Math.abs(byMs) / 1000);
    this.#log.warn(
      `the clock jumped ${direction} by ${seconds} s, from ${rfc3339(beforeMs)} to ${rfc3339(afterMs)}: windows, ages and delays of what arrived ` +
        'since the start do not follow it. Check the time of this machine; if the new time is right, all is well.',
      { byMs },
    );
  }

  #onFailed(error: LogError): void {
    const { code } = (error.cause ?? {}) as { readonly code?: unknown };
    const message =
      code === 'data-dir-taken' || code === 'data-dir-gone'
        ? `${error.message} The broker stops.`
        : `Writing to ${this.dataDirectory} failed (${systemErrorCode(error) ?? error.message}): the broker stops, ` +
          'because it cannot promise that anything is on disk any more. Check the disk and start it again.';
    this.#log.fatal(message, { error });
    this.#fail(new ServerError('storage-failed', message, error));
  }
}

async function sampleRates(broker: Broker, taker: TurnTaker): Promise<void> {
  const nowMs = broker.clock.monotonic();
  await inTurns(broker.topics.values(), taker, (topic) => {
    topic.inRate.perSecond(nowMs);
    topic.removedRate.perSecond(nowMs);
    for (const { deliverRate, ackRate } of topic.groups.values()) {
      deliverRate.perSecond(nowMs);
      ackRate.perSecond(nowMs);
    }
  });
}
