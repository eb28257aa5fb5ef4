import { shownJson, shownJsonText, shownText } from '../util/index.ts';
import { messageOf } from './errors.ts';
import { type LogLevel, logLevels } from './settings.ts';

/** A log takes the server's messages about itself: a sentence, and fields that programs can read. */
export type Log = { readonly [L in LogLevel]: (message: string, fields?: LogFields) => void } & {
  /** Resolves when all lines so far have been handed to the system. Never rejects. */
  flush(): Promise<void>;
  /**
   * Writes the last line before the process ends, with the stack. It is written at once, by code that is
   * already loaded.
   */
  last(message: string, error: unknown): void;
};

export interface LogFields {
  readonly error?: unknown;
  readonly [name: string]: unknown;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** Whether to write lines for people instead of JSON, and whether to colour them. */
  readonly pretty: boolean;
  readonly colour: boolean;
  readonly write: (line: string) => void;
}

/** A log that writes nothing. */
export const silentLog: Log = {
  fatal: () => {},
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  flush: () => Promise.resolve(),
  last: () => {},
};

type PinoLogger = { readonly [L in LogLevel]: (fields: object, message: string) => void };

/**
 * The server's log: JSON lines by pino, or one-liners on a terminal. Pino is loaded with the first JSON line
 * and not before, because that takes a tenth of the start-up time. Lines wait for it, in order and with their
 * own time.
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
    last: (message, error) => write.last(message, stackOf(error)),
  };
}

interface Writer {
  line(level: LogLevel, message: string, fields: LogFields): void;
  flush(): Promise<void>;
  last(message: string, stack: string): void;
}

function pinoWriter({ level, write }: LogOptions): Writer {
  let logger: PinoLogger | undefined;
  let loading: Promise<void> | undefined;
  let hasFailed = false;
  let waiting: (() => void)[] = [];
  const plain = (level: LogLevel, time: string, message: string, fields: LogFields): void => {
    const { error, ...rest } = fields;
    const shown = error === undefined ? rest : { ...rest, error: stackOf(error) };
    write(`${shownJson({ level, time, ...shown, message })}\n`);
  };
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
      { write: (line) => write(`${shownJsonText(line.trimEnd())}\n`) },
    );
    sayWaiting();
  };
  const sayWaiting = (): void => {
    const lines = waiting;
    waiting = [];
    for (const say of lines) say();
  };
  return {
    line: (level, message, fields) => {
      const time = new Date().toISOString();
      const say = (): void =>
        logger ? logger[level]({ time, ...fields }, message) : plain(level, time, message, fields);
      if (logger || hasFailed) return say();
      waiting.push(say);
      // The server must not fall silent if pino is missing, is broken, or cannot be read for lack of a
      // descriptor.
      loading ??= load().catch((error: unknown) => {
        hasFailed = true;
        plain('warn', time, 'the log writes plain lines: pino failed to load', { error });
        sayWaiting();
      });
    },
    flush: async () => loading,
    last: (message, stack) => plain('fatal', new Date().toISOString(), message, { error: stack }),
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
          `  ${name}=${shownText(typeof value === 'string' ? value : value instanceof Error ? value.message : JSON.stringify(value))}`,
      );
      const mark = colour ? `\u001B[${colours[level]}m${name}\u001B[0m` : name;
      write(`${time} ${mark} ${shownText(message)}${shown.join('')}\n`);
    },
    flush: () => Promise.resolve(),
    last: (message, stack) => {
      write(
        `${new Date().toTimeString().slice(0, 8)} fatal ${shownText(message)}  error=${shownJson(stack)}\n`,
      );
    },
  };
}

function stackOf(error: unknown): string {
  return typeof error === 'string'
    ? error
    : error instanceof Error && error.stack
      ? error.stack
      : messageOf(error);
}
