import {
  virtualHost,
  type KeptUser,
  type PermissionPatterns,
  type VhostPermissions,
} from '../../amqp/index.ts';
import { accessOf, mayUseProtocol, verifierText, type Password, type User } from '../../users/index.ts';
import type { Api } from '../api.ts';
import { checkAdministrator, guest, tagsOfAccess } from '../caller.ts';
import { listed, shown } from '../collection.ts';
import { objectNotFound } from '../errors.ts';
import { patternsOf } from '../permission-patterns.ts';
import type { ApiReply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { hostOf, hostsOf } from '../virtual-hosts.ts';

/** A user as it is shown: one of the configuration, or one that the broker keeps. */
interface ShownUser {
  readonly name: string;
  readonly tags: readonly string[];
  readonly permissions: VhostPermissions;
  /** Of users that the broker keeps; those of the configuration do not show theirs. */
  readonly password: Password | undefined;
}

/** Without users in the configuration, everybody is this one. */
const anyone: User = { name: guest, credentials: {}, permissions: undefined };

export function list(request: ApiRequest, api: Api): Promise<ApiReply> {
  checkAdministrator(request.caller);
  return listed(request, { entries: shownUsers(api), nameOf: ({ name }) => name, describe: describeUser });
}

export function show({ caller, params, query }: ApiRequest, api: Api): ApiReply {
  checkAdministrator(caller);
  return shown(query, describeUser(userOf(params['user'], api)));
}

export function permissions(request: ApiRequest, api: Api): Promise<ApiReply> {
  checkAdministrator(request.caller);
  const hosts = new Set(hostsOf(request, api).map(({ name }) => name));
  const all = permissionsIn(shownUsers(api));
  return listedPermissions(
    request,
    all.filter(({ vhost }) => hosts.has(vhost)),
  );
}

export function permissionsOfUser(request: ApiRequest, api: Api): Promise<ApiReply> {
  const { caller, params } = request;
  checkAdministrator(caller);
  return listedPermissions(request, permissionsIn([userOf(params['user'], api)]));
}

export function showPermissions(request: ApiRequest, api: Api): ApiReply {
  const { caller, params, query } = request;
  checkAdministrator(caller);
  const { name } = hostOf(request, api);
  const found = permissionsIn([userOf(params['user'], api)]).find(({ vhost }) => vhost === name);
  if (!found) throw objectNotFound();
  return shown(query, found);
}

/** The users that may log in by AMQP, by name. A user of the configuration hides a kept one of its name. */
function shownUsers({ users, kept }: Api): readonly ShownUser[] {
  const configured = users.requires('amqp')
    ? users.all().filter((user) => users.isConfigured(user.name) && mayUseProtocol(user, 'amqp'))
    : [anyone];
  const names = new Set(configured.map(({ name }) => name));
  const others = kept.all().filter(({ name }) => !names.has(name));
  return [...configured.map(shownOf), ...others].toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function shownOf({ name, permissions }: User): ShownUser {
  const tags = tagsOfAccess(accessOf(permissions));
  return { name, tags, permissions: { [virtualHost]: patternsOf(permissions) }, password: undefined };
}

function userOf(name: string | undefined, api: Api): ShownUser {
  const user = shownUsers(api).find((one) => one.name === name);
  if (!user) throw objectNotFound();
  return user;
}

/** A user as it is listed, and as definitions have it. */
export function describeUser({ name, tags, password }: Pick<KeptUser, 'name' | 'tags' | 'password'>): object {
  return { name, ...describePassword(password), tags, limits: {} };
}

function describePassword(password: Password | undefined): object {
  if (password?.kind !== 'verifier') return { password_hash: '', hashing_algorithm: '' };
  const { verifier, digest } = password;
  return digest
    ? { password_hash: digest.text, hashing_algorithm: digest.algorithm }
    : { password_hash: verifierText(verifier), hashing_algorithm: 'pillarbox_scram' };
}

/** The permissions of a user in a virtual host, as they are listed. */
type PermissionsJson = PermissionPatterns & { readonly user: string; readonly vhost: string };

function listedPermissions(request: ApiRequest, entries: readonly PermissionsJson[]): Promise<ApiReply> {
  return listed(request, {
    entries,
    nameOf: ({ user }) => user,
    describe: (permissions) => permissions,
  });
}

/** The permissions of users, one entry for each virtual host. */
export function permissionsIn(users: readonly Pick<KeptUser, 'name' | 'permissions'>[]): PermissionsJson[] {
  return users.flatMap(({ name, permissions }) =>
    Object.entries(permissions).map(([vhost, patterns]) => ({ user: name, vhost, ...patterns })),
  );
}
