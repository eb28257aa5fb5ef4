import { messageOf } from './errors.ts';
import { type LogLevel, logLevels } from './settings.ts';

/** A log takes what the server has to say about itself: a sentence, and fields that programs can read. */
export type Log = { readonly [L in LogLevel]: (message: string, fields?: LogFields) => void } & {
  /** Resolves when everything said so far has been handed to the system. */
  flush(): Promise<void>;
};

export interface LogFields {
  readonly error?: unknown;
  readonly [name: string]: unknown;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** Lines for people instead of JSON; whether to colour them. */
  readonly pretty: boolean;
  readonly colour: boolean;
  readonly write: (line: string) => void;
}

/** A log that says nothing. */
export const silentLog: Log = {
  fatal: () => {},
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  flush: () => Promise.resolve(),
};

type PinoLogger = { readonly [L in LogLevel]: (fields: object, message: string) => void };

/**
 * The server's log: JSON lines by pino, or one-liners on a terminal. Pino is loaded with the first JSON line and not before,
 * because it costs a tenth of the start-up time; lines wait for it, in order and with the time they were said.
 */
export function createLog(options: LogOptions): Log {
  const write = options.pretty ? prettyWriter(options) : pinoWriter(options);
  const least = logLevels.indexOf(options.level);
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (logLevels.indexOf(level) <= least) write.line(level, message, fields);
    };
  return {
    fatal: at('fatal'),
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    flush: () => write.flush(),
  };
}

interface Writer {
  line(level: LogLevel, message: string, fields: LogFields): void;
  flush(): Promise<void>;
}

function pinoWriter({ level, write }: LogOptions): Writer {
  let logger: PinoLogger | undefined;
  let loading: Promise<void> | undefined;
  let waiting: (() => void)[] = [];
  const load = async (): Promise<void> => {
    const { pino } = await import('pino');
    logger = pino(
      {
        level,
        timestamp: false,
        base: null,
        errorKey: 'error',
        formatters: { level: (level) => ({ level }) },
      },
      { write: (line) => write(line) },
    );
    for (const say of waiting) say();
    waiting = [];
  };
  return {
    line: (level, message, fields) => {
      const time = new Date().toISOString();
      const say = (): void => logger?.[level]({ time, ...fields }, message);
      if (logger) return say();
      waiting.push(say);
      loading ??= load();
      // pino missing or broken must not silence the server.
      loading.catch((error: unknown) => write(`${JSON.stringify({ message, error: messageOf(error) })}\n`));
    },
    flush: async () => loading,
  };
}

const colours: { readonly [L in LogLevel]: number } = { fatal: 31, error: 31, warn: 33, info: 36, debug: 90 };

/** `12:00:00 warn  what happened  topic=orders`. */
function prettyWriter({ colour, write }: LogOptions): Writer {
  return {
    line: (level, message, fields) => {
      const time = new Date().toTimeString().slice(0, 8);
      const name = level.padEnd(5);
      const shown = Object.entries(fields).map(
        ([name, value]) =>
          `  ${name}=${typeof value === 'string' ? value : value instanceof Error ? value.message : JSON.stringify(value)}`,
      );
      const mark = colour ? `\u001B[${colours[level]}m${name}\u001B[0m` : name;
      write(`${time} ${mark} ${message}${shown.join('')}\n`);
    },
    flush: () => Promise.resolve(),
  };
}
