/**
 * A setting is one knob of the server. It has one name in three places: the flag `--nats-port`, the
 * environment variable `PILLARBOX_NATS_PORT` and the key `nats-port` of the configuration file.
 */
export interface Setting<T> {
  readonly name: string;
  /** The value as `--help` shows it; absent for a switch. */
  readonly placeholder?: string;
  /** Undefined: not set. */
  readonly default: T;
  readonly help: string;
  /** The values that fit, as the text after "must be". */
  readonly expected: string;
  /** A variable of others that sets it, too, if its own variable is not there. */
  readonly alias?: string;
  /** Shown as `***` wherever settings are shown. */
  readonly secret?: boolean;
  /**
   * Parses a value from a flag or variable (always text) or from a file (text, number or boolean). Returns
   * undefined if it does not fit.
   */
  readonly parse: (value: unknown) => NonNullable<T> | undefined;
  /** Why a value does not fit, in one sentence, if `expected` says too little. */
  readonly problemOf?: (value: unknown) => string | undefined;
  /** Whether code may pass the value directly. Absent: if parsing does not change it. */
  readonly accepts?: (value: unknown) => boolean;
}

/** Settings by their names in code. */
export type SettingTable<S> = { readonly [K in keyof S]-?: Setting<S[K]> };

/** The fields of a setting that its kind leaves open. */
export type SettingRest<T> = Pick<Setting<T>, 'name' | 'default' | 'help'> &
  Partial<Pick<Setting<T>, 'placeholder' | 'secret'>>;

export function text<T extends string | undefined>(rest: SettingRest<T>): Setting<T> {
  return {
    placeholder: 'TEXT',
    expected: 'a text that is not empty',
    parse: (value) => (typeof value === 'string' && value !== '' ? (value as NonNullable<T>) : undefined),
    ...rest,
  };
}

function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

export function port(rest: SettingRest<number>): Setting<number> {
  return {
    placeholder: 'PORT',
    expected: 'a port number from 0 (any free one) to 65535',
    parse: (value) => {
      const number = wholeNumber(value);
      return number !== undefined && number <= 65_535 ? number : undefined;
    },
    ...rest,
  };
}

/** The port of a protocol that can be switched off. */
export function portOrOff(rest: SettingRest<number | 'off'>): Setting<number | 'off'> {
  const { parse } = port({ ...rest, default: 0 });
  return {
    placeholder: 'PORT',
    expected: 'a port number from 0 (any free one) to 65535, or off',
    parse: (value) => (value === 'off' || value === false ? 'off' : parse(value)),
    ...rest,
  };
}

/** `broker.example.com:9092`, `[::1]:9092`. */
export function endpoint(rest: SettingRest<string | undefined>): Setting<string | undefined> {
  return {
    placeholder: 'HOST:PORT',
    expected: 'a host and a port, such as broker.example.com:9092',
    parse: (value) => {
      const [, , digits] = /^(\[[0-9a-f:.]+\]|[^\s:[\]]+):(\d{1,5})$/i.exec(String(value)) ?? [];
      const number = Number(digits ?? Number.NaN);
      return number >= 1 && number <= 65_535 ? String(value) : undefined;
    },
    ...rest,
  };
}

export function count<T extends number | undefined>(max: number, rest: SettingRest<T>): Setting<T> {
  return {
    placeholder: 'NUMBER',
    expected: `a whole number from 1 to ${max}`,
    parse: (value) => {
      const number = wholeNumber(value);
      return number !== undefined && number >= 1 && number <= max ? (number as NonNullable<T>) : undefined;
    },
    ...rest,
  };
}

const sizeUnits: { readonly [unit: string]: number } = {
  '': 1,
  b: 1,
  kb: 1e3,
  kib: 2 ** 10,
  mb: 1e6,
  mib: 2 ** 20,
  gb: 1e9,
  gib: 2 ** 30,
};

/** `1048576`, `"512 KiB"`, `"1MiB"`, `"8MB"`. */
export function size<T extends number | undefined>(
  bytesMin: number,
  bytesMax: number,
  rest: SettingRest<T>,
): Setting<T> {
  return {
    placeholder: 'BYTES',
    expected: `a size from ${bytesMin} bytes to ${bytesMax / 2 ** 20} MiB, such as 65536, 512KiB or 8MiB`,
    parse: (value) => {
      const [, digits, unit] = /^(\d{1,12})\s*([a-z]*)$/i.exec(String(value)) ?? [];
      const factor = sizeUnits[(unit ?? '').toLowerCase()];
      const bytes = factor === undefined ? Number.NaN : Number(digits) * factor;
      return bytes >= bytesMin && bytes <= bytesMax ? (bytes as NonNullable<T>) : undefined;
    },
    ...rest,
  };
}

const durationUnits: { readonly [unit: string]: number } = { ms: 1, s: 1e3, m: 6e4 };

/** `10s`, `500ms`, `1m`. */
export function duration(msMax: number, rest: SettingRest<number>, msMin: number = 0): Setting<number> {
  const bounds = msMin === 0 ? `at most ${msMax / 1e3} s` : `${msMin} ms to ${msMax / 1e3} s`;
  return {
    placeholder: 'TIME',
    expected: `a time of ${bounds}, such as 500ms, 10s or 1m`,
    accepts: (ms) => typeof ms === 'number' && ms >= msMin && ms <= msMax,
    parse: (value) => {
      const [, digits, unit] = /^(\d{1,9})\s*(ms|s|m)$/.exec(String(value)) ?? [];
      const ms = Number(digits) * (durationUnits[unit ?? ''] ?? Number.NaN);
      return ms >= msMin && ms <= msMax ? ms : undefined;
    },
    ...rest,
  };
}

export function toggle(rest: SettingRest<boolean>): Setting<boolean> {
  return {
    expected: 'true or false',
    parse: (value) =>
      value === true || value === 'true' || value === '1'
        ? true
        : value === false || value === 'false' || value === '0'
          ? false
          : undefined,
    ...rest,
  };
}

/** A switch that is on by default, so that it needs a value. */
export function choiceOfBoolean(rest: SettingRest<boolean>): Setting<boolean> {
  return { ...toggle(rest), placeholder: 'true|false' };
}

export function choice<T extends string>(choices: readonly T[], rest: SettingRest<T>): Setting<T> {
  return {
    placeholder: 'NAME',
    expected: `one of ${choices.join(', ')}`,
    parse: (value) => choices.find((choice) => choice === value),
    ...rest,
  };
}

/** A path of a PEM file. */
export function pemFile(name: string, help: string): Setting<string | undefined> {
  return text<string | undefined>({ name, placeholder: 'FILE', default: undefined, help });
}

/**
 * A list of tables of the configuration file, or the same as JSON. `check` throws for a list that does not
 * fit.
 */
export function tables<T>(
  check: (list: readonly unknown[]) => void,
  rest: Pick<Setting<unknown>, 'name' | 'help' | 'expected' | 'secret'>,
): Setting<readonly T[] | undefined> {
  const problemOf = (list: readonly unknown[]): string | undefined => {
    try {
      check(list);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };
  return {
    placeholder: 'JSON',
    default: undefined,
    parse: (value) => {
      const list = listOf(value);
      return list === undefined || problemOf(list) !== undefined ? undefined : (list as readonly T[]);
    },
    accepts: (value) => Array.isArray(value) && problemOf(value) === undefined,
    problemOf: (value) => {
      const list = listOf(value);
      return list && problemOf(list);
    },
    ...rest,
  };
}

function listOf(value: unknown): readonly unknown[] | undefined {
  if (typeof value !== 'string') return Array.isArray(value) ? value : undefined;
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}
