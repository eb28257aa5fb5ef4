import { type ApiContext, type ApiSpan, type ApiSpanContext, loadOpenTelemetry } from './open-telemetry.ts';
import type { TraceContext } from './trace-context.ts';

/** SpanKind and SpanStatusCode of OpenTelemetry, as far as they are used. */
export const SpanKind = { client: 2, producer: 3, consumer: 4 } as const;
const statusError = 2;

export interface Attributes {
  readonly [name: string]: string | number;
}

/** What a span begins with. Times are milliseconds since the epoch, with fractions. */
export interface SpanStart {
  readonly name: string;
  readonly kind: (typeof SpanKind)[keyof typeof SpanKind];
  readonly attributes: Attributes;
  /** Undefined: the span begins a trace. */
  readonly parent: TraceContext | undefined;
  readonly startMs: number;
}

/** A span that has not ended. */
export interface OpenSpan {
  readonly context: TraceContext;
  set(attributes: Attributes): void;
  /** `error`: what went wrong, as `error.type`. */
  end(endMs: number, error?: string): void;
}

/** Spans are made here, and sent to a collector in batches, by OTLP over HTTP. */
export interface Spans {
  start(start: SpanStart): OpenSpan;
  /** Sends what waits, for so long at most. */
  close(timeoutMs: number): Promise<void>;
}

export interface SpanOptions {
  /** The base URL of the collector, without `/v1/traces`. */
  readonly endpoint: string;
  readonly version: string;
  /** Identifies the broker: `service.instance.id`. */
  readonly instance: string;
}

/**
 * Loads OpenTelemetry, without registering anything in the process. Its SDK reads more variables: the
 * `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, the `OTEL_BSP_*` of batches.
 * Rejects if a package is missing.
 */
export async function openSpans({ endpoint, version, instance }: SpanOptions): Promise<Spans> {
  const { api, resources, sdk, exporters } = await loadOpenTelemetry();
  const { ROOT_CONTEXT, trace } = api;
  const own = resources.resourceFromAttributes({
    'service.name': 'pillarbox',
    'service.version': version,
    'service.instance.id': instance,
  });
  const given = resources.detectResources({ detectors: [resources.envDetector] });
  const exporter = new exporters.OTLPTraceExporter({ url: tracesUrl(endpoint) });
  const processor = new sdk.BatchSpanProcessor(exporter);
  const provider = new sdk.BasicTracerProvider({
    resource: resources.defaultResource().merge(own).merge(given),
    // What is sampled is decided before a span begins.
    sampler: new sdk.AlwaysOnSampler(),
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer('pillarbox', version);
  const contextOf = (parent: TraceContext | undefined): ApiContext => {
    if (!parent) return ROOT_CONTEXT;
    const { traceId, spanId, state } = parent;
    const traceState = state === undefined ? {} : { traceState: api.createTraceState(state) };
    return trace.setSpanContext(ROOT_CONTEXT, {
      traceId,
      spanId,
      traceFlags: 1,
      isRemote: true,
      ...traceState,
    });
  };
  return {
    start: ({ name, kind, attributes, parent, startMs }) =>
      openSpan(tracer.startSpan(name, { kind, attributes, startTime: startMs }, contextOf(parent))),
    close: async (timeoutMs) => {
      let timer: NodeJS.Timeout | undefined;
      const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
      await Promise.race([provider.shutdown().catch(() => {}), timeout]);
      clearTimeout(timer);
    },
  };
}

function openSpan(span: ApiSpan): OpenSpan {
  return {
    context: plain(span.spanContext()),
    set: (attributes) => void span.setAttributes(attributes),
    end: (endMs, error) => {
      if (error !== undefined) span.setAttributes({ 'error.type': error }).setStatus({ code: statusError });
      span.end(endMs);
    },
  };
}

function plain({ traceId, spanId, traceState }: ApiSpanContext): TraceContext {
  const state = traceState?.serialize();
  return { traceId, spanId, ...(state === undefined ? {} : { state }) };
}

function tracesUrl(endpoint: string): string {
  return `${endpoint.replace(/\/+$/, '')}/v1/traces`;
}
