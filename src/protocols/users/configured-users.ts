import { isPublicUserKey } from '../../wire/nats/index.ts';
import { isPublishSubject, isSubscribeSubject, shownText } from '../../util/index.ts';
import { duration } from '../setting.ts';
import { looksLikeVerifier, parseVerifier } from './password-verifier.ts';
import {
  defaultResponses,
  topicActions,
  type NatsPermissions,
  type ResponsePermission,
  type Rules,
  type TopicPermissions,
} from './permissions.ts';
import { mayUseProtocol, type AccessKey, type Credentials, type Password, type User } from './user.ts';
import { userNameCharactersMax } from './users.ts';

/** The protocols that users log in by. */
const loginProtocols = ['nats', 'kafka', 'amqp', 'sqs', 'admin'] as const;

const patternCharactersMax = 256;

/** Parses users from the configuration. Throws an Error, in one sentence, for a value that does not fit. */
export function parseUsers(settings: readonly unknown[]): User[] {
  const users = settings.map((value, at) => parseUser(tableOf(`entry ${at + 1} of "users"`, value), at));
  checkUnique(users);
  return users;
}

/** Throws an Error if clients could not tell two users apart. */
export function checkUnique(users: readonly User[]): void {
  const taken = new Map<string, User[]>();
  for (const user of users) {
    const { token, nkeys = [], certificates = [], accessKeys = [] } = user.credentials;
    const keys = [
      [`name "${shownText(user.name)}"`, user.name],
      ...(token === undefined ? [] : [['token (not shown)', `token ${token}`]]),
      ...nkeys.map((key) => [`nkey "${key}"`, `nkey ${key}`]),
      ...certificates.map((name) => [`certificate "${shownText(name)}"`, `certificate ${name}`]),
      ...accessKeys.map(({ id }) => [`access key "${id}"`, `access key ${id}`]),
    ];
    for (const [what, key] of keys) {
      const others = taken.get(key!) ?? [];
      const protocol = loginProtocols.find((protocol) =>
        others.some((other) => mayUseProtocol(other, protocol) && mayUseProtocol(user, protocol)),
      );
      if (protocol !== undefined) throw new Error(`Two users have the ${what}; give each its own.`);
      taken.set(key!, [...others, user]);
    }
  }
}

/** A table, and its name in error messages. */
interface Table {
  readonly title: string;
  readonly values: { readonly [key: string]: unknown };
}

function parseUser({ title, values }: Table, at: number): User {
  const { name } = values;
  if (typeof name !== 'string' || name === '' || name.length > userNameCharactersMax)
    throw new Error(`The ${title} needs a "name" of 1 to ${userNameCharactersMax} characters.`);
  const table = { title: `user "${shownText(name)}" (entry ${at + 1} of "users")`, values };
  checkKeys(table, [
    'name',
    'password',
    'token',
    'nkey',
    'certificate',
    'access-key',
    'protocols',
    'permissions',
    'nats',
  ]);
  const protocols = textsOf(table, 'protocols');
  for (const protocol of protocols ?? [])
    if (!loginProtocols.some((known) => known === protocol))
      throw wrong(table, 'protocols', `a list of ${loginProtocols.join(', ')}`);
  return {
    name,
    credentials: parseCredentials(table),
    permissions: parsePermissions(table),
    nats: parseNats(table),
    protocols: protocols && new Set(protocols),
  };
}

function parseCredentials(table: Table): Credentials {
  const nkeys = textsOf(table, 'nkey');
  for (const key of nkeys ?? [])
    if (!isPublicUserKey(key)) throw wrong(table, 'nkey', 'a public key of a user, such as "UDXU…"');
  return {
    password: parsePassword(table),
    token: textOf(table, 'token'),
    nkeys,
    // Users may write `CN=box, O=Example`; names have no blank.
    certificates: textsOf(table, 'certificate')?.map((name) => name.replaceAll(/, +(?=[\w.]+=)/g, ',')),
    accessKeys: parseAccessKeys(table),
  };
}

/** One table with `id` and `secret`, or a list of them. */
function parseAccessKeys({ title, values }: Table): AccessKey[] | undefined {
  const value = values['access-key'];
  if (value === undefined) return undefined;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((one) => {
    const key = tableOf(`key "access-key" of the ${title}`, one);
    checkKeys(key, ['id', 'secret']);
    const id = textOf(key, 'id');
    const secret = textOf(key, 'secret');
    if (id === undefined || secret === undefined)
      throw wrong({ title, values }, 'access-key', 'a table with id and secret');
    if (!isAccessKeyId(id)) throw wrong(key, 'id', '1 to 128 letters, digits, - and _');
    return { id, secret };
  });
}

/** What may stand in front of the first `/` of a credential. */
export function isAccessKeyId(text: string): boolean {
  return /^[\w-]{1,128}$/.test(text);
}

function parsePassword(table: Table): Password | undefined {
  const text = textOf(table, 'password');
  if (text === undefined) return undefined;
  if (!looksLikeVerifier(text)) return { kind: 'plain', text };
  const verifier = parseVerifier(text);
  if (!verifier) throw wrong(table, 'password', 'a password, or all of what "pillarbox user hash" prints');
  return { kind: 'verifier', verifier };
}

function parsePermissions(table: Table): TopicPermissions | undefined {
  const permissions = subTable(table, 'permissions');
  if (!permissions) return undefined;
  checkKeys(permissions, topicActions);
  const entries = topicActions.map(
    (action) => [action, rulesOf(permissions, action, isTopicPattern, topicPatterns)] as const,
  );
  return Object.fromEntries(entries.filter(([, rules]) => rules !== undefined));
}

function parseNats(table: Table): NatsPermissions | undefined {
  const nats = subTable(table, 'nats');
  if (!nats) return undefined;
  checkKeys(nats, ['publish', 'subscribe', 'allow-responses']);
  return {
    publish: rulesOf(nats, 'publish', isSubscribeSubject, subjectPatterns),
    subscribe: rulesOf(nats, 'subscribe', isSubjectAndQueue, `${subjectPatterns}, perhaps with a queue`),
    allowResponses: responsesOf(nats),
  };
}

const topicPatterns = 'topic names, beginnings of them with * at the end, or *';
const subjectPatterns = 'subjects, such as "orders.>"';
const expires = duration(24 * 3_600_000, { name: 'expires', default: 0, help: '' });

function responsesOf(nats: Table): ResponsePermission | undefined {
  const value = nats.values['allow-responses'];
  if (value === undefined || value === false) return undefined;
  if (value === true) return defaultResponses;
  const table = subTable(nats, 'allow-responses')!;
  checkKeys(table, ['max', 'expires']);
  const { max = defaultResponses.max, expires: time } = table.values;
  const expiresMs = time === undefined ? defaultResponses.expiresMs : expires.parse(time);
  if (typeof max !== 'number' || !Number.isSafeInteger(max) || max < 0)
    throw wrong(table, 'max', 'a whole number; 0 is no limit');
  if (expiresMs === undefined) throw wrong(table, 'expires', 'a time, such as "2m"; "0s" is no limit');
  return { max, expiresMs };
}

function rulesOf(
  { title, values }: Table,
  key: string,
  fits: (pattern: string) => boolean,
  expected: string,
): Rules | undefined {
  const value = values[key];
  if (value === undefined) return undefined;
  const isList = typeof value === 'string' || Array.isArray(value);
  const table = isList ? { title, values: { allow: value } } : subTable({ title, values }, key)!;
  if (!isList) checkKeys(table, ['allow', 'deny']);
  const [allow, deny] = (['allow', 'deny'] as const).map((list) => {
    const patterns = textsOf(table, list, isList ? key : list);
    if (patterns?.some((pattern) => pattern.length > patternCharactersMax || !fits(pattern)))
      throw wrong(table, isList ? key : list, `a list of ${expected}`);
    return patterns;
  });
  return { ...(allow && { allow }), ...(deny && { deny }) };
}

function isTopicPattern(pattern: string): boolean {
  return pattern !== '' && !pattern.slice(0, -1).includes('*');
}

/** `orders.>`, or `orders.> workers`. */
function isSubjectAndQueue(text: string): boolean {
  const [subject = '', queue, ...more] = text.split(' ');
  return (
    isSubscribeSubject(subject) &&
    more.length === 0 &&
    (queue === undefined || isPublishSubject(queue) || isSubscribeSubject(queue))
  );
}

// ---- tables

function tableOf(title: string, value: unknown): Table {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`The ${title} must be a table.`);
  return { title, values: value as Table['values'] };
}

function subTable({ title, values }: Table, key: string): Table | undefined {
  const value = values[key];
  return value === undefined ? undefined : tableOf(`key "${key}" of the ${title}`, value);
}

function checkKeys({ title, values }: Table, known: readonly string[]): void {
  for (const key of Object.keys(values))
    if (!known.includes(key))
      throw new Error(
        `The ${title} has an unknown key "${shownText(key)}"; the known ones are ${known.join(', ')}.`,
      );
}

function textOf(table: Table, key: string): string | undefined {
  const value = table.values[key];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '') throw wrong(table, key, 'a text that is not empty');
  return value;
}

/** One text or a list of them. */
function textsOf(table: Table, key: string, shownKey = key): readonly string[] | undefined {
  const value = table.values[key];
  if (value === undefined) return undefined;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every((entry): entry is string => typeof entry === 'string' && entry !== ''))
    throw wrong(table, shownKey, 'a text or a list of texts');
  return list;
}

/** Values are not shown: they may be secrets. */
function wrong({ title }: Table, key: string, expected: string): Error {
  return new Error(`The key "${key}" of the ${title} must be ${expected}.`);
}
