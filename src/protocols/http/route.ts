import { HttpError } from './error.ts';

/** The `:names` of a path, decoded. */
export type RouteParams = { readonly [name: string]: string };

/** One line of a table of routes. A segment that starts with `:` is a name in the params. */
export interface Route {
  readonly method: string;
  readonly path: string;
}

/** Throws an HttpError if no route has the path, or if the routes of the path do not have the method. */
export function findRoute<R extends Route>(
  routes: readonly R[],
  method: string,
  path: string,
): { readonly route: R; readonly params: RouteParams } {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const allowed = new Set<string>();
  for (const route of routes) {
    const params = matchPath(route.path, path);
    if (params && route.method === wanted) return { route, params };
    if (params) allowed.add(route.method);
  }
  if (allowed.size > 0) {
    const allow = [...allowed].join(', ');
    throw new HttpError(405, 'method-not-allowed', `This path takes ${allow}, not ${method}.`, { allow });
  }
  throw new HttpError(404, 'route-not-found', `There is nothing at ${path.slice(0, 200)}.`);
}

/** `/topics/:topic` and `/topics/a%2Fb` give `{ topic: 'a/b' }`; undefined if they do not match. */
export function matchPath(pattern: string, path: string): RouteParams | undefined {
  const names = pattern.split('/');
  const segments = path.split('/');
  if (names.length !== segments.length) return undefined;
  const params: { [name: string]: string } = {};
  for (const [at, name] of names.entries()) {
    const segment = segments[at] ?? '';
    if (!name.startsWith(':')) {
      if (name !== segment) return undefined;
      continue;
    }
    if (segment === '') return undefined;
    try {
      params[name.slice(1)] = decodeURIComponent(segment);
    } catch {
      const message = 'The path has a "%" that is not followed by two hexadecimal digits.';
      throw new HttpError(400, 'invalid-request', message);
    }
  }
  return params;
}
