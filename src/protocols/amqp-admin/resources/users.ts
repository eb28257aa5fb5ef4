import { virtualHost } from '../../amqp/index.ts';
import { accessOf, mayUseProtocol, type Rules, type TopicPermissions, type User } from '../../users/index.ts';
import type { Api } from '../api.ts';
import { checkAdministrator, guest, tagsOf } from '../caller.ts';
import { listed, shown } from '../collection.ts';
import { objectNotFound } from '../errors.ts';
import type { ApiReply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { virtualHostOf } from '../virtual-hosts.ts';

/** Without users, everybody is this one. */
const anyone: User = { name: guest, credentials: {}, permissions: undefined };

export function list({ caller, query }: ApiRequest, api: Api): ApiReply {
  checkAdministrator(caller);
  return listed(query, { entries: usersOf(api), nameOf: ({ name }) => name, describe: describeUser });
}

export function show({ caller, params, query }: ApiRequest, api: Api): ApiReply {
  checkAdministrator(caller);
  return shown(query, describeUser(userOf(params['user'], api)));
}

export function permissions({ caller, params, query }: ApiRequest, api: Api): ApiReply {
  checkAdministrator(caller);
  virtualHostOf(params);
  return listed(query, {
    entries: usersOf(api),
    nameOf: ({ name }) => name,
    describe: describePermissions,
  });
}

export function permissionsOfUser({ caller, params, query }: ApiRequest, api: Api): ApiReply {
  checkAdministrator(caller);
  return listed(query, {
    entries: [userOf(params['user'], api)],
    nameOf: ({ name }) => name,
    describe: describePermissions,
  });
}

export function showPermissions({ caller, params, query }: ApiRequest, api: Api): ApiReply {
  checkAdministrator(caller);
  virtualHostOf(params);
  return shown(query, describePermissions(userOf(params['user'], api)));
}

/** The users that may log in by AMQP, by name. */
export function usersOf({ users }: Api): readonly User[] {
  if (!users.requires('amqp')) return [anyone];
  return users
    .all()
    .filter((user) => mayUseProtocol(user, 'amqp'))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function userOf(name: string | undefined, api: Api): User {
  const user = usersOf(api).find((one) => one.name === name);
  if (!user) throw objectNotFound();
  return user;
}

/** Passwords are not shown, hashed or not. */
function describeUser({ name, permissions }: User): object {
  return {
    name,
    password_hash: '',
    hashing_algorithm: '',
    tags: tagsOf({ access: accessOf(permissions) }),
    limits: {},
  };
}

function describePermissions({ name, permissions }: User): object {
  const pattern = (action: keyof TopicPermissions): string =>
    permissions === undefined ? '.*' : patternOf(permissions[action]);
  return {
    user: name,
    vhost: virtualHost,
    configure: pattern('manage'),
    write: pattern('publish'),
    read: pattern('consume'),
  };
}

/** Rules as the regular expression that RabbitMQ would have for them. */
function patternOf(rules: Rules | undefined): string {
  if (rules === undefined) return '^$';
  const { allow, deny = [] } = rules;
  const allowed = allow === undefined ? '.*' : anyOf(allow);
  return deny.length > 0 ? `^(?!${anyOf(deny)}$)${allowed}$` : allowed === '.*' ? '.*' : `^${allowed}$`;
}

function anyOf(names: readonly string[]): string {
  if (names.includes('*')) return '.*';
  const patterns = names.map((name) =>
    name.endsWith('*') ? `${literal(name.slice(0, -1))}.*` : literal(name),
  );
  return patterns.length === 1 ? patterns[0]! : `(${patterns.join('|')})`;
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
