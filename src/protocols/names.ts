import { createHash } from 'node:crypto';

/**
 * The rule of one protocol for the names of topics, or of groups, and for showing a name that is not allowed.
 */
export interface NameRule {
  /** The characters of a name, as the text after "a name has". */
  readonly alphabet: string;
  /** Matches a text of at least one character if all its characters are allowed. */
  readonly characters: RegExp;
  /** The longest name that a client may give. */
  readonly longest: { readonly count: number; readonly unit: 'characters' | 'bytes' };
  /** Names that are not allowed although their characters are. */
  readonly reserved: readonly string[];
  readonly escape: NameEscape;
}

/**
 * How a name that a protocol does not allow is shown to its clients. They can use the shown name as any
 * other.
 *
 * - `none`: unchanged.
 * - `percent`: each character that is not allowed becomes `%` and two hex digits, `a.b` becomes `a%2Eb`. A
 *   name that looks escaped is shown unchanged: if something exists under a name, clients mean that.
 * - `prefix`: the prefix and the UTF-8 bytes of the name; each byte that is no letter, digit or `-` becomes
 *   `_` and two hex digits, `stock!` becomes `escaped.stock_21`. A name that begins with a prefix is escaped
 *   too, so that no two names are shown alike. A name that is still too long is shown as `hashPrefix` and its
 *   SHA-256.
 */
export type NameEscape =
  | { readonly kind: 'none' }
  | { readonly kind: 'percent' }
  | { readonly kind: 'prefix'; readonly prefix: string; readonly hashPrefix: string };

/** The rules of one protocol. */
export interface ProtocolNames {
  readonly topic: NameRule;
  readonly group: NameRule;
}

/** One token of an API subject and a file name of nats-server, for streams and consumers alike. */
const natsToken: NameRule = {
  alphabet: "any characters but blanks, '.', '*', '>', '\\' and '/'",
  // oxlint-disable-next-line no-control-regex
  characters: /^[^.*>/\\\s\u0000-\u0020\u007f]+$/,
  longest: { count: 255, unit: 'bytes' },
  reserved: [],
  escape: { kind: 'percent' },
};

/** A name of AMQP is a short text: any bytes, 255 at most. */
const amqpName: NameRule = {
  alphabet: 'any characters',
  characters: /^[^]+$/,
  longest: { count: 255, unit: 'bytes' },
  reserved: [],
  escape: { kind: 'none' },
};

/**
 * The one table of how each protocol shows and accepts the names of topics and groups. The broker itself
 * takes any text of 1 to 255 characters.
 */
export const names: { readonly [P in 'nats' | 'kafka' | 'amqp' | 'sqs']: ProtocolNames } = {
  nats: { topic: natsToken, group: natsToken },
  amqp: { topic: amqpName, group: amqpName },
  kafka: {
    /** `org.apache.kafka.common.internals.Topic` */
    topic: {
      alphabet: "ASCII alphanumerics, '.', '_' and '-'",
      characters: /^[a-zA-Z0-9._-]+$/,
      longest: { count: 249, unit: 'characters' },
      reserved: ['.', '..'],
      escape: { kind: 'prefix', prefix: 'escaped.', hashPrefix: 'escaped-long.' },
    },
    group: {
      alphabet: 'any characters',
      characters: /^[^]+$/,
      longest: { count: 255, unit: 'characters' },
      reserved: [],
      escape: { kind: 'none' },
    },
  },
  sqs: {
    /** CreateQueue: "alphanumeric characters, hyphens, and underscores"; FIFO queues end in `.fifo`. */
    topic: {
      alphabet: "ASCII alphanumerics, '-' and '_', and may end in '.fifo'",
      characters: /^[a-zA-Z0-9_-]+(\.fifo)?$/,
      longest: { count: 80, unit: 'characters' },
      reserved: [],
      escape: { kind: 'prefix', prefix: 'escaped-', hashPrefix: 'escaped-long-' },
    },
    group: {
      alphabet: 'any characters',
      characters: /^[^]+$/,
      longest: { count: 255, unit: 'characters' },
      reserved: [],
      escape: { kind: 'none' },
    },
  },
};

export function hasLegalCharacters(name: string, { characters }: NameRule): boolean {
  return characters.test(name);
}

export function isTooLong(name: string, { longest: { count, unit } }: NameRule): boolean {
  return (unit === 'bytes' ? Buffer.byteLength(name) : name.length) > count;
}

/** Whether clients of the protocol may use this name for something new. */
export function isLegalName(name: string, rule: NameRule): boolean {
  return hasLegalCharacters(name, rule) && !isTooLong(name, rule) && !rule.reserved.includes(name);
}

/** The name by which clients of a protocol know the broker's `name`. */
export function shownName(name: string, rule: NameRule): string {
  const { escape } = rule;
  switch (escape.kind) {
    case 'none':
      return name;
    case 'percent':
      return hasLegalCharacters(name, rule) ? name : withPercents(name, rule);
    case 'prefix': {
      const { prefix, hashPrefix } = escape;
      if (isLegalName(name, rule) && !name.startsWith(prefix) && !name.startsWith(hashPrefix)) return name;
      const escaped = prefix + withHexBytes(name);
      return isTooLong(escaped, rule)
        ? hashPrefix + createHash('sha256').update(name).digest('base64url')
        : escaped;
    }
    default:
      return escape satisfies never;
  }
}

/** The existing names, for {@link coreName}. */
export interface KnownNames {
  has(name: string): boolean;
  /** All names. Used only for a name that cannot be decoded. */
  keys(): Iterable<string>;
}

/**
 * The broker's name for a name that a client gave; undefined if nothing can be shown to clients by that name.
 * With the escapes `percent` and `none` it is also the name of something new.
 */
export function coreName(shown: string, rule: NameRule, known: KnownNames): string | undefined {
  const { escape } = rule;
  switch (escape.kind) {
    case 'none':
      return shown;
    case 'percent':
      return known.has(shown) ? shown : withoutPercents(shown);
    case 'prefix': {
      const { prefix, hashPrefix } = escape;
      if (shown.startsWith(hashPrefix)) {
        for (const name of known.keys()) if (shownName(name, rule) === shown) return name;
        return undefined;
      }
      if (!shown.startsWith(prefix)) return isLegalName(shown, rule) ? shown : undefined;
      const name = withoutHexBytes(shown.slice(prefix.length));
      return shownName(name, rule) === shown ? name : undefined;
    }
    default:
      return escape satisfies never;
  }
}

function withPercents(name: string, rule: NameRule): string {
  let escaped = '';
  for (let at = 0; at < name.length; at++) {
    const char = name[at]!;
    escaped += hasLegalCharacters(char, rule) ? char : `%${hexOf(char.charCodeAt(0)).toUpperCase()}`;
  }
  return escaped;
}

function withoutPercents(escaped: string): string {
  return escaped.replace(/%([0-9A-F]{2})/g, (_, hex: string) => charOf(hex));
}

function withHexBytes(name: string): string {
  let escaped = '';
  for (const byte of Buffer.from(name, 'utf8')) {
    const isPlain =
      (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte === 45;
    escaped += isPlain ? String.fromCharCode(byte) : `_${hexOf(byte)}`;
  }
  return escaped;
}

function withoutHexBytes(escaped: string): string {
  const latin1 = escaped.replaceAll(/_([0-9a-f]{2})/g, (_, hex: string) => charOf(hex));
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

function hexOf(code: number): string {
  return code.toString(16).padStart(2, '0');
}

function charOf(hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}
