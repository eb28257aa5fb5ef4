import type { SessionJson, SessionToBeginJson } from '../../admin-api/index.ts';
import { type Access, HttpError, type HttpRequest } from '../../protocols/index.ts';
import type { AdminContext } from './context.ts';
import { invalidRequest } from './errors.ts';
import type { AdminRequest } from './http.ts';
import { checkGiven, type Given, needsLogin, sessionOf, tokenOf } from './login.ts';
import { type JsonReply, json } from './reply.ts';
import { cookieName } from './sessions.ts';
import { readObject, text } from './shape.ts';

const noSession = { isLoggedIn: false, user: null, csrf: '', managesAll: false };

/** The session of the browser, if it has one. */
export function showSession({ raw }: AdminRequest, { door }: AdminContext): JsonReply<SessionJson> {
  if (!needsLogin(door))
    return json({ needsLogin: false, isLoggedIn: true, user: null, csrf: '', managesAll: true });
  const session = raw && sessionOf(raw, door);
  if (!session) return json({ needsLogin: true, ...noSession });
  const { user, csrf, login } = session;
  return json({ needsLogin: true, isLoggedIn: true, user, csrf, managesAll: managesAll(login?.access) });
}

/** Logs a browser in: it gets a cookie that no script can read and no other site can use. */
export async function beginSession(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<SessionJson>> {
  const { door } = context;
  const raw = rawOf(request);
  const body = readObject<SessionToBeginJson>(await request.json(), {
    user: text(256),
    password: text(4096),
    token: text(4096),
  });
  if (!needsLogin(door)) return showSession(request, context);
  const { user, access, login } = await checkGiven(givenBy(body), raw, door);
  const { token, session } = door.sessions.begin({ user, login }, Date.now());
  const lifeSeconds = Math.floor(door.sessions.limits.lifeMs / 1000);
  return {
    ...json<SessionJson>({
      needsLogin: true,
      isLoggedIn: true,
      user,
      csrf: session.csrf,
      managesAll: managesAll(access),
    }),
    headers: { 'set-cookie': cookie(raw, token, lifeSeconds) },
  };
}

/** Logs a browser out. */
export function endSession(request: AdminRequest, { door }: AdminContext): JsonReply<SessionJson> {
  const raw = rawOf(request);
  const token = tokenOf(raw);
  if (token !== undefined) door.sessions.end(token);
  return {
    ...json<SessionJson>({ needsLogin: needsLogin(door), ...noSession }),
    headers: { 'set-cookie': cookie(raw, '', 0) },
  };
}

function givenBy({ user, password, token }: SessionToBeginJson): Given {
  if (token !== undefined) return { kind: 'token', token };
  if (user !== undefined && password !== undefined) return { kind: 'password', user, password };
  throw invalidRequest('Give "user" and "password", or a "token".');
}

function rawOf({ raw }: AdminRequest): HttpRequest {
  if (raw) return raw;
  throw new HttpError(400, 'invalid-request', 'A session belongs to a request of its own.');
}

function cookie({ socket }: HttpRequest, token: string, lifeSeconds: number): string {
  const isSecure = 'encrypted' in socket;
  return (
    `${cookieName(socket.localPort ?? 0)}=${token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${lifeSeconds}` +
    (isSecure ? '; Secure' : '')
  );
}

function managesAll(access: Access | undefined): boolean {
  return access === undefined || access.may('manage', '*');
}
