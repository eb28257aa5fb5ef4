import assert from 'node:assert/strict';
import type { TestServer } from '../../support/index.ts';

/** Closes every AMQP connection of a server by the admin HTTP, as an operator does; returns their number. */
export async function kickAmqp({ adminPort }: TestServer): Promise<number> {
  const api = `http://127.0.0.1:${adminPort}/api/v1/connections`;
  const { connections } = (await (await fetch(api)).json()) as {
    readonly connections: readonly { readonly id: number; readonly protocol: string }[];
  };
  const ours = connections.filter(({ protocol }) => protocol === 'amqp');
  for (const { id } of ours)
    assert.equal((await fetch(`${api}/${id}`, { method: 'DELETE' })).ok, true, `connection ${id}`);
  return ours.length;
}
