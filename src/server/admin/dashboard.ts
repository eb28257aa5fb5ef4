import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { HttpError } from '../../protocols/index.ts';
import type { AdminReply, AdminRequest } from './http.ts';

/** The files of the dashboard, which are the same for everybody and hold no data. */
interface StaticFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly zipped: Buffer;
  readonly etag: string;
}

/** Where the bundle is: beside the chunks of the package, or beside the sources as compiled. */
const places = ['../dashboard/', './dashboard/', '../../../bundle/dashboard/'];
const types: { readonly [ending: string]: string } = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};
const pageName = 'index.html';

/** Nothing but the files of this server; messages are text, and no page may show this one in a frame. */
const policy =
  "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'";

let loading: Promise<ReadonlyMap<string, StaticFile>> | undefined;

/** The page. It is asked for again each time, because it names its files by their content. */
export function dashboardPage(request: AdminRequest): Promise<AdminReply> {
  return reply(request, pageName, 'no-cache');
}

/** A file of the page. Its name changes with its content. */
export function dashboardFile(request: AdminRequest): Promise<AdminReply> {
  return reply(request, request.params['file'] ?? '', 'public, max-age=31536000, immutable');
}

async function reply({ headers }: AdminRequest, name: string, caching: string): Promise<AdminReply> {
  const files = await (loading ??= load());
  const file = files.get(name);
  if (!file)
    throw new HttpError(
      404,
      'route-not-found',
      files.size === 0
        ? 'The dashboard is not part of this build; the rest of the admin HTTP is there.'
        : `The dashboard has no file "${name.slice(0, 200)}"; load its page again.`,
    );
  const isZipped = /\bgzip\b/.test(headers['accept-encoding'] ?? '');
  const common = {
    'cache-control': caching,
    etag: file.etag,
    vary: 'accept-encoding',
    'content-security-policy': policy,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
  if (headers['if-none-match'] === file.etag) return { kind: 'raw', status: 304, headers: common, body: '' };
  return {
    kind: 'raw',
    headers: {
      ...common,
      'content-type': file.type,
      ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
    },
    body: isZipped ? file.zipped : file.bytes,
  };
}

async function load(): Promise<ReadonlyMap<string, StaticFile>> {
  const files = new Map<string, StaticFile>();
  for (const place of places) {
    const folder = new URL(place, import.meta.url);
    const names = await readdir(folder).catch((): string[] => []);
    if (!names.includes(pageName)) continue;
    for (const name of names) {
      const type = types[name.split('.').at(-1) ?? ''];
      if (type === undefined) continue;
      const bytes = await readFile(new URL(name, folder));
      const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
      const zipped = await promisify(gzip)(bytes, { level: 9 });
      files.set(name, { type, bytes, zipped, etag: `"${hash}"` });
    }
    break;
  }
  return files;
}
