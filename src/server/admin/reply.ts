import type { AdminReply } from './http.ts';

export function json(body: unknown, status: number = 200): AdminReply {
  return { kind: 'json', status, body };
}
