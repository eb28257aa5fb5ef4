import type { Setting } from '../../protocols/settings.ts';

/** The settings of tracing. See docs/tracing.md. */
export interface TracingSettings {
  readonly tracingEndpoint: string | undefined;
  readonly tracingRatio: number;
}

export const tracingSettings: { readonly [K in keyof TracingSettings]: Setting<TracingSettings[K]> } = {
  tracingEndpoint: {
    name: 'tracing-endpoint',
    placeholder: 'URL',
    default: undefined,
    help: 'collector that gets spans by OTLP over HTTP, such as http://localhost:4318; also OTEL_EXPORTER_OTLP_ENDPOINT',
    expected:
      'a URL without user and password that begins with http:// or https://, such as http://localhost:4318',
    alias: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    parse: (value) => {
      const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
      // Settings are shown to operators, so a password has no place here: OTEL_EXPORTER_OTLP_HEADERS has.
      const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
      return isHttp && url.username === '' && url.password === '' ? (value as string) : undefined;
    },
  },
  tracingRatio: {
    name: 'tracing-ratio',
    placeholder: 'SHARE',
    default: 0.01,
    help: 'share of the messages without a trace context that begin a trace, 0 to 1; those with one follow its flag',
    expected: 'a share from 0 to 1, such as 0.01',
    parse: (value) => {
      const share = typeof value === 'string' && /^\d{0,3}(\.\d{1,9})?$/.test(value) ? Number(value) : value;
      return typeof share === 'number' && value !== '' && share >= 0 && share <= 1 ? share : undefined;
    },
  },
};
