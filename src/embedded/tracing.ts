import type { HeadersInit, MessageHeaders } from './headers.ts';
import type { Settlement } from './receipt.ts';

/**
 * The part of `@opentelemetry/api` that a box uses: the module itself fits. A box makes spans only if it is
 * given one, and loads nothing by itself.
 */
export interface OpenTelemetryApi {
  readonly trace: {
    getTracer(name: string): {
      startSpan(name: string, options: TracedSpanOptions, context: unknown): TracedSpan;
    };
    setSpan(context: unknown, span: unknown): unknown;
  };
  readonly context: {
    active(): unknown;
    with<T>(context: unknown, run: () => T): T;
  };
  readonly propagation: {
    inject(context: unknown, carrier: { [name: string]: string }): void;
    extract(context: unknown, carrier: { readonly [name: string]: string }): unknown;
  };
}

interface TracedSpanOptions {
  readonly kind: number;
  readonly attributes: { readonly [name: string]: string | number };
}

interface TracedSpan {
  setAttribute(name: string, value: string | number): unknown;
  setStatus(status: { readonly code: number }): unknown;
  addEvent(name: string, attributes: { readonly [name: string]: string }): unknown;
  end(): void;
}

// SpanKind and SpanStatusCode of the API, which are enums there.
const producer = 3;
const consumer = 4;
const failed = 2;

/** Puts the context of a span into the headers of a message; one that is there already stays. */
export type InjectTrace = (headers: HeadersInit | undefined) => HeadersInit | undefined;

/**
 * Tracing makes spans of publishes and of handlers, as the semantic conventions of OpenTelemetry name them
 * for messaging. The context of a publish travels in the headers of its message (W3C: `traceparent`,
 * `tracestate`), as clients of any protocol see and set them, and is the parent of the handler's span.
 */
export class Tracing {
  readonly #api: OpenTelemetryApi;
  readonly #tracer: ReturnType<OpenTelemetryApi['trace']['getTracer']>;

  constructor(api: OpenTelemetryApi) {
    this.#api = api;
    this.#tracer = api.trace.getTracer('pillarbox');
  }

  /** Publishes within a span, which ends when the messages are on disk. */
  async publish<R>(topic: string, send: (inject: InjectTrace) => Promise<R>): Promise<R> {
    const { trace, context, propagation } = this.#api;
    const active = context.active();
    const span = this.#start('publish', 'send', topic, producer, active);
    const carrier: { [name: string]: string } = {};
    propagation.inject(trace.setSpan(active, span), carrier);
    try {
      const sent = await send((headers) => withCarrier(headers, carrier));
      if (Array.isArray(sent)) span.setAttribute('messaging.batch.message_count', sent.length);
      return sent;
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  }

  /** Begins the span of a delivery, under the span of its publish. */
  process(group: string, message: { readonly topic: string; readonly headers: MessageHeaders }): ProcessSpan {
    const { trace, context, propagation } = this.#api;
    const parent = propagation.extract(context.active(), message.headers.toJSON());
    const span = this.#start('process', 'process', message.topic, consumer, parent);
    span.setAttribute('messaging.consumer.group.name', group);
    const within = trace.setSpan(parent, span);
    return {
      run: (handler) => context.with(within, handler),
      end: (failure, settlement) => {
        if (failure) fail(span, failure.thrown);
        if (settlement !== undefined) span.addEvent('settle', { 'pillarbox.settlement': settlement });
        span.end();
      },
    };
  }

  #start(name: string, type: string, topic: string, kind: number, context: unknown): TracedSpan {
    const attributes = {
      'messaging.system': 'pillarbox',
      'messaging.operation.name': name,
      'messaging.operation.type': type,
      'messaging.destination.name': topic,
    };
    return this.#tracer.startSpan(`${name} ${topic}`, { kind, attributes }, context);
  }
}

/** The span of one delivery: the handler runs in it, and how the message was answered is an event of it. */
export interface ProcessSpan {
  run<T>(handler: () => T): T;
  end(failure: { readonly thrown: unknown } | undefined, settlement: Settlement | undefined): void;
}

function fail(span: TracedSpan, error: unknown): void {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  const name = error instanceof Error ? error.name : typeof error;
  span.setAttribute('error.type', typeof code === 'string' ? code : name);
  span.setStatus({ code: failed });
}

function withCarrier(
  headers: HeadersInit | undefined,
  carrier: { readonly [name: string]: string },
): HeadersInit | undefined {
  const added = Object.entries(carrier);
  if (headers === undefined) return added.length === 0 ? undefined : carrier;
  // A publisher that sets the context itself passes on that of somebody else.
  if (!(Symbol.iterator in headers))
    return added.some(([name]) => Object.hasOwn(headers, name)) ? headers : { ...headers, ...carrier };
  const pairs = [...headers];
  return added.some(([name]) => pairs.some(([given]) => given === name)) ? pairs : [...pairs, ...added];
}
