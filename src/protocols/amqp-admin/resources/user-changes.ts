import { SystemRandom } from '../../../util/index.ts';
import {
  problemOfPermissions,
  rulesOfPattern,
  type KeptUser,
  type PermissionPatterns,
} from '../../amqp/index.ts';
import {
  defaultDigestAlgorithm,
  looksLikeVerifier,
  makeVerifier,
  parseDigest,
  parseVerifier,
  userNameCharactersMax,
  type Password,
} from '../../users/index.ts';
import type { Api } from '../api.ts';
import { checkAdministrator } from '../caller.ts';
import { badRequest, notSupported, objectNotFound } from '../errors.ts';
import { declared, gone, type ApiReply } from '../reply.ts';
import { checkPresent, textOf, type ApiRequest, type Json, type JsonObject } from '../request.ts';

const keptMax = 10_000;
const tagsMax = 20;

/** Makes or changes the user in the path: 201 if it is new. Without a password it cannot log in by one. */
export async function put(request: ApiRequest, api: Api): Promise<ApiReply> {
  checkAdministrator(request.caller);
  return declared(await putUser(api, request.params['user'] ?? '', await request.body()));
}

/** Makes or changes a user; resolves to whether it is new. */
export async function putUser({ kept, users }: Api, name: string, body: JsonObject): Promise<boolean> {
  checkNotConfigured({ users }, name);
  const before = kept.get(name);
  if (name.length > userNameCharactersMax)
    throw badRequest(`a name has at most ${userNameCharactersMax} characters`);
  if (!before && kept.all().length >= keptMax) throw badRequest(`there are at most ${keptMax} users`);
  const tags = tagsOf(body['tags']);
  const password = await passwordOf(body);
  await kept.set({ name, password, tags, permissions: before?.permissions ?? {} });
  return !before;
}

export async function remove({ caller, params }: ApiRequest, api: Api): Promise<ApiReply> {
  checkAdministrator(caller);
  const { name } = keptUser(api, params['user'] ?? '');
  await api.kept.delete(name);
  return gone;
}

/** Removes several users at once; those that are not there are no error. */
export async function removeAll({ caller, body }: ApiRequest, api: Api): Promise<ApiReply> {
  checkAdministrator(caller);
  const names = (await body())['users'];
  if (!Array.isArray(names)) throw badRequest('users_not_list');
  for (const name of names as readonly Json[]) {
    if (typeof name !== 'string') throw badRequest('users_not_strings');
    checkNotConfigured(api, name);
    if (api.kept.get(name)) await api.kept.delete(name);
  }
  return gone;
}

// ---- permissions

export async function putPermissions(request: ApiRequest, api: Api): Promise<ApiReply> {
  checkAdministrator(request.caller);
  const { vhost = '', user: name = '' } = request.params;
  return declared(await putPermissionsOf(api, vhost, name, await request.body()));
}

/** Sets what a user may do; resolves to whether it had no permissions before. */
export async function putPermissionsOf(
  api: Api,
  vhost: string,
  name: string,
  body: JsonObject,
): Promise<boolean> {
  checkNotConfigured(api, name);
  const before = api.kept.get(name);
  if (!before || !api.amqp.virtualHosts.get(vhost)) throw badRequest('vhost_or_user_not_found');
  checkPresent(body, ['configure', 'write', 'read']);
  const patterns: PermissionPatterns = {
    configure: patternOf(body, 'configure'),
    write: patternOf(body, 'write'),
    read: patternOf(body, 'read'),
  };
  const permissions = { ...before.permissions, [vhost]: patterns };
  const problem = problemOfPermissions(permissions);
  if (problem !== undefined) throw badRequest(problem);
  await api.kept.set({ ...before, permissions });
  return !Object.hasOwn(before.permissions, vhost);
}

export async function removePermissions({ caller, params }: ApiRequest, api: Api): Promise<ApiReply> {
  checkAdministrator(caller);
  const { vhost = '', user: name = '' } = params;
  const user = keptUser(api, name);
  if (!Object.hasOwn(user.permissions, vhost)) throw objectNotFound();
  const left = Object.entries(user.permissions).filter(([name]) => name !== vhost);
  await api.kept.set({ ...user, permissions: Object.fromEntries(left) });
  return gone;
}

// ---- what the body says

/** Throws an ApiError if the user comes from the configuration, which alone may change it. */
function checkNotConfigured({ users }: Pick<Api, 'users'>, name: string): void {
  if (!users.isConfigured(name)) return;
  throw notSupported(
    `The user "${name}" comes from the configuration of the server; change it there and send the server SIGHUP.`,
  );
}

function keptUser(api: Api, name: string): KeptUser {
  checkNotConfigured(api, name);
  const user = api.kept.get(name);
  if (!user) throw objectNotFound();
  return user;
}

/** A list, or a text with commas between the tags. */
function tagsOf(value: Json | undefined): readonly string[] {
  if (value === undefined) throw badRequest('tags_not_present');
  const list: readonly Json[] =
    typeof value === 'string'
      ? value.split(',').map((tag) => tag.trim())
      : Array.isArray(value)
        ? value
        : [null];
  const tags = list.filter((tag): tag is string => typeof tag === 'string' && tag !== '');
  if (
    list.some((tag) => typeof tag !== 'string') ||
    tags.length > tagsMax ||
    tags.some((tag) => tag.length > 255)
  )
    throw badRequest(`tags are at most ${tagsMax} texts`);
  return tags;
}

async function passwordOf(body: JsonObject): Promise<Password | undefined> {
  const given = textOf(body, 'password');
  const hash = textOf(body, 'password_hash');
  if (given !== undefined && given !== '') {
    const random = new SystemRandom();
    return { kind: 'verifier', verifier: await makeVerifier(given, (count) => random.bytes(count)) };
  }
  if (hash === undefined || hash === '') return undefined;
  const verifier = looksLikeVerifier(hash) ? parseVerifier(hash) : undefined;
  if (verifier) return { kind: 'verifier', verifier };
  const digest = parseDigest(textOf(body, 'hashing_algorithm') ?? defaultDigestAlgorithm, hash);
  if (!digest)
    throw badRequest(
      'password_hash is neither salt and hash in base64, by rabbit_password_hashing_sha256 or _sha512, nor a verifier',
    );
  return { kind: 'verifier', verifier: {}, digest };
}

function patternOf(body: JsonObject, name: string): string {
  const pattern = textOf(body, name) ?? '';
  const rules = rulesOfPattern(pattern);
  if (typeof rules === 'string') throw badRequest(`${name}: ${rules}`);
  return pattern;
}
