import { checks, type Checks } from '../embedded/values.ts';
import { SystemClock, SystemRandom, type Clock, type Random } from '../util/index.ts';
import { Client } from './client.ts';
import type { Driver } from './driver.ts';
import { readTarget } from './target-url.ts';

export interface ConnectOptions {
  /** The name of this client in the target's lists of connections. */
  readonly name?: string;
  /** Credentials; they may be in the URL as well. */
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** The most publishes under way to the target; further ones wait for their turn. Default 16,384. */
  readonly unackedPublishesMax?: number;
  /** The most publishes that wait; further ones are refused (`buffer-full`). Default 100,000. */
  readonly waitingPublishesMax?: number;
  /**
   * How long a publish may take, outages included, before it is given up (`not-confirmed`). Default 60,000.
   */
  readonly publishTimeoutMs?: number;
  /** How long `connect` and each request to the target may take. Default 10,000. */
  readonly requestTimeoutMs?: number;
  /**
   * Called with faults that the client deals with by itself: lost connections, answers that did not get
   * through.
   */
  readonly onFault?: (error: Error) => void;
  /** For `memory:` and `file:`: a clock of your own. With a `VirtualClock`, tests need not wait. */
  readonly clock?: Clock;
  /** The randomness behind backoffs and ids. */
  readonly random?: Random;
}

const connectChecks: Checks<ConnectOptions> = {
  name: checks.filledText,
  user: checks.text,
  password: checks.text,
  token: checks.text,
  unackedPublishesMax: checks.wholeNumber(1),
  waitingPublishesMax: checks.wholeNumber(0),
  publishTimeoutMs: checks.milliseconds(1),
  requestTimeoutMs: checks.milliseconds(1),
  onFault: checks.callback,
  clock: checks.objectWith('now', 'monotonic', 'setTimer', 'defer'),
  random: checks.objectWith('next', 'bytes'),
};

/** The options of a driver, with their defaults. */
export type DriverOptions = Pick<ConnectOptions, 'name' | 'user' | 'password' | 'token'> & {
  readonly publishTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  fault(error: Error): void;
};

/**
 * Connects to a target: a broker inside this process (`memory:`, `file:DIR`), a Pillarbox server
 * (`pillarbox://HOST:PORT`, the port of its NATS protocol), JetStream of a nats-server
 * (`nats://HOST:PORT,HOST:PORT`), RabbitMQ (`amqp://HOST:PORT/VHOST`), or SQS
 * (`sqs://sqs.REGION.amazonaws.com`, `sqs://HOST:PORT`). docs/client.md shows how to use it, and what each
 * target can do.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Client> {
  checks.checkOptions('connect()', options, connectChecks);
  const { unackedPublishesMax = 16_384, waitingPublishesMax = 100_000, onFault } = options;
  const clock = options.clock ?? new SystemClock();
  const random = options.random ?? new SystemRandom();
  const driver = await openDriver(url, {
    ...options,
    publishTimeoutMs: options.publishTimeoutMs ?? 60_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    clock,
    random,
    fault: (error) => onFault?.(error),
  });
  return new Client({ driver, clock, random, unackedPublishesMax, waitingPublishesMax, onFault });
}

/** Code and packages of a driver are loaded when a target needs it. */
async function openDriver(url: string, options: DriverOptions): Promise<Driver> {
  const target = readTarget(url);
  if (target.kind === 'nats') {
    const { openNats } = await import('./drivers/nats/driver.ts');
    return openNats(target.server, target.isPillarbox, options);
  }
  if (target.kind === 'amqp') {
    const { openAmqp } = await import('./drivers/amqp/driver.ts');
    return openAmqp(target.server, options);
  }
  if (target.kind === 'sqs') {
    const { openSqs } = await import('./drivers/sqs/driver.ts');
    return openSqs(target.server, options);
  }
  const { openEmbedded } = await import('./drivers/embedded/driver.ts');
  return openEmbedded(target.kind === 'file' ? target.dir : undefined, options);
}
