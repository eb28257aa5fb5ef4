import assert from 'node:assert/strict';
import { checkReply } from './reply-check.ts';

/** One request to the admin HTTP, and its answer. */
export async function askAdmin(
  port: number,
  method: string,
  path: string,
  body?: unknown,
  headers: { readonly [name: string]: string } = {},
): Promise<{ status: number; json: { readonly [name: string]: unknown } }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const json = (await response.json()) as { [name: string]: unknown };
  checkReply(method, path, response.status, json);
  return { status: response.status, json };
}

/** The same for a request that is expected to succeed. */
export async function askWell(
  port: number,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly [name: string]: unknown }> {
  const { status, json } = await askAdmin(port, method, path, body);
  assert.ok(status < 300, `${method} ${path}: ${status} ${JSON.stringify(json)}`);
  return json;
}
