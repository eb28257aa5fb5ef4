import type { Broker } from '../../broker/index.ts';
import type { ConnectionRegistry } from '../../protocols/index.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { tracingPackages } from './open-telemetry.ts';
import { openSpans, type Spans } from './spans.ts';
import { tap } from './tap.ts';
import { Tracing } from './tracing.ts';

export { loadOpenTelemetry, tracingPackages } from './open-telemetry.ts';
export type { Tracing } from './tracing.ts';

/** What tracing needs of the server around it. */
export interface TracingContext {
  readonly broker: Broker;
  readonly registry: ConnectionRegistry;
  readonly endpoint: string;
  readonly ratio: number;
  readonly version: string;
  readonly log: Log;
}

/**
 * Begins to trace what clients do with the broker. Without the packages of OpenTelemetry the broker starts all
 * the same, and says so: spans are no reason to serve nobody.
 */
export async function openTracing(context: TracingContext): Promise<Tracing | undefined> {
  const { broker, registry, endpoint, ratio, version, log } = context;
  let spans: Spans;
  try {
    spans = await openSpans({ endpoint, version, instance: Buffer.from(broker.uuid).toString('hex') });
  } catch (error) {
    log.error(
      `there is no tracing: the packages of OpenTelemetry cannot be loaded (${messageOf(error)}); ` +
        `install them beside pillarbox: npm install ${tracingPackages.join(' ')}`,
    );
    return undefined;
  }
  const tracing = new Tracing(spans, {
    ratio,
    nowMs: () => performance.timeOrigin + performance.now(),
    random: Math.random,
  });
  tap(broker, registry, tracing);
  log.info(`traces go to ${endpoint}`, { endpoint, ratio });
  return tracing;
}
