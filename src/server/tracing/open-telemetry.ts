/**
 * The packages of OpenTelemetry that make and send spans. They are optional peers: loaded only if there is an
 * endpoint, and known to the compiler by what is used of them here.
 */
export const tracingPackages = [
  '@opentelemetry/api',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/exporter-trace-otlp-proto',
] as const;

/** `@opentelemetry/api`. */
export interface Api {
  readonly ROOT_CONTEXT: ApiContext;
  readonly trace: { setSpanContext(context: ApiContext, span: ApiSpanContext): ApiContext };
  createTraceState(text: string): ApiTraceState;
}

/** The API keeps it to itself. */
export type ApiContext = object & { readonly setValue: unknown };

export interface ApiTraceState {
  serialize(): string;
}

export interface ApiSpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  readonly isRemote?: boolean;
  readonly traceState?: ApiTraceState;
}

export interface ApiSpan {
  spanContext(): ApiSpanContext;
  setAttributes(attributes: { readonly [name: string]: string | number }): ApiSpan;
  setStatus(status: { readonly code: number }): ApiSpan;
  end(endTime: number): void;
}

/** `@opentelemetry/resources`. */
export interface Resources {
  readonly envDetector: object;
  defaultResource(): Resource;
  detectResources(options: { readonly detectors: readonly object[] }): Resource;
  resourceFromAttributes(attributes: { readonly [name: string]: string }): Resource;
}

export interface Resource {
  merge(other: Resource): Resource;
}

/** `@opentelemetry/sdk-trace-base`. */
export interface Sdk {
  readonly AlwaysOnSampler: new () => object;
  readonly BatchSpanProcessor: new (exporter: object) => object;
  readonly BasicTracerProvider: new (options: {
    readonly resource: Resource;
    readonly sampler: object;
    readonly spanProcessors: readonly object[];
  }) => TracerProvider;
}

export interface TracerProvider {
  getTracer(
    name: string,
    version: string,
  ): {
    startSpan(
      name: string,
      options: {
        readonly kind: number;
        readonly attributes: { readonly [name: string]: string | number };
        readonly startTime: number;
      },
      context: ApiContext,
    ): ApiSpan;
  };
  shutdown(): Promise<void>;
}

/** `@opentelemetry/exporter-trace-otlp-proto`. */
export interface Exporters {
  readonly OTLPTraceExporter: new (options: { readonly url: string }) => object;
}

export interface OpenTelemetry {
  readonly api: Api;
  readonly resources: Resources;
  readonly sdk: Sdk;
  readonly exporters: Exporters;
}

/** Rejects if a package is missing. */
export async function loadOpenTelemetry(): Promise<OpenTelemetry> {
  const loading = tracingPackages.map((name): Promise<unknown> => import(name));
  const [api, resources, sdk, exporters] = await Promise.all(loading);
  return {
    api: api as Api,
    resources: resources as Resources,
    sdk: sdk as Sdk,
    exporters: exporters as Exporters,
  };
}
