import { hostname } from 'node:os';
import type { Broker } from '../../broker/index.ts';
import type { ConnectionRegistry } from '../../protocols/index.ts';
import type { Log } from '../log.ts';
import { SpanSender } from './span-sender.ts';
import { tap } from './tap.ts';
import { Tracing } from './tracing.ts';

export type { Tracing } from './tracing.ts';

/** What tracing needs of the server around it. */
export interface TracingContext {
  readonly broker: Broker;
  readonly registry: ConnectionRegistry;
  readonly endpoint: string;
  readonly ratio: number;
  readonly version: string;
  readonly log: Log;
  /** Has the `OTEL_…` variables. */
  readonly environment: { readonly [name: string]: string | undefined };
}

/** Begins to trace what clients do with the broker. */
export function openTracing(context: TracingContext): Tracing {
  const { broker, registry, endpoint, ratio, version, log, environment } = context;
  const sender = new SpanSender({
    endpoint,
    version,
    headers: pairsOf(
      environment['OTEL_EXPORTER_OTLP_TRACES_HEADERS'] ?? environment['OTEL_EXPORTER_OTLP_HEADERS'],
    ),
    resource: {
      'service.name': 'pillarbox',
      'service.version': version,
      'service.instance.id': Buffer.from(broker.uuid).toString('hex'),
      'host.name': hostname(),
      ...pairsOf(environment['OTEL_RESOURCE_ATTRIBUTES']),
      ...(environment['OTEL_SERVICE_NAME'] ? { 'service.name': environment['OTEL_SERVICE_NAME'] } : {}),
    },
    onTrouble: (reason) =>
      log.warn(`spans do not reach ${endpoint}: ${reason}; those that cannot wait are dropped`, { endpoint }),
  });
  const tracing = new Tracing(sender, {
    ratio,
    nowMs: () => performance.timeOrigin + performance.now(),
    random: Math.random,
    protocolOf: (connection) => registry.get(connection)?.info().protocol,
  });
  tap(broker, tracing);
  log.info(`traces go to ${endpoint}`, { endpoint, ratio });
  return tracing;
}

/** `name=value,name=value`, values percent-encoded, as variables of OpenTelemetry have them. */
function pairsOf(text: string | undefined): { readonly [name: string]: string } {
  const pairs = (text ?? '').split(',').flatMap((pair) => {
    const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    return name === undefined || value === undefined ? [] : [[name, decoded(value)] as const];
  });
  return Object.fromEntries(pairs);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
