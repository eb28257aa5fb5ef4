import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { type PillarboxServer, startServer } from '../../../src/server/index.ts';
import type { Group } from '../../../src/broker/index.ts';
import { type TemporaryDirectory, makeTemporaryDirectory, uniqueName } from '../../support/index.ts';
import { freePorts } from '../../support/ports.ts';
import { checkReply } from './reply-check.ts';

export type Json = { readonly [name: string]: unknown };

/** A server of all protocols for the tests of a file, and requests to its admin HTTP. */
export class AdminKit {
  #directory!: TemporaryDirectory;
  server!: PillarboxServer;

  /** To be called once in a file. */
  static use(): AdminKit {
    const kit = new AdminKit();
    before(async () => {
      kit.#directory = await makeTemporaryDirectory();
      kit.server = await startServer({ data: join(kit.#directory.path, 'data'), ...freePorts });
    });
    after(async () => {
      await kit.server.close({ graceMs: 100 });
      await kit.#directory[Symbol.asyncDispose]();
    });
    return kit;
  }

  readonly call = async (
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; json: Json; text: string }> => {
    const response = await fetch(`http://127.0.0.1:${this.server.ports.admin}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    const json = isJson ? (JSON.parse(text) as Json) : {};
    if (isJson) checkReply(method, path, response.status, json);
    return { status: response.status, json, text };
  };

  /** A request that is to succeed. */
  readonly ok = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const { status, json, text } = await this.call(method, path, body);
    assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
    return json;
  };

  /** One that is to be refused; the message. */
  readonly refused = async (
    method: string,
    path: string,
    body: unknown,
    status: number,
    code: string,
  ): Promise<string> => {
    const reply = await this.call(method, path, body);
    assert.equal(reply.status, status, reply.text);
    const { error } = reply.json as { error: { code: string; message: string } };
    assert.equal(error.code, code);
    return error.message;
  };

  readonly makeTopic = async (options: Json = {}): Promise<string> => {
    const name = uniqueName('topic');
    await this.ok('POST', '/api/v1/topics', { name, ...options });
    return name;
  };

  readonly publish = (topic: string, ...messages: readonly Json[]): Promise<Json> =>
    this.ok('POST', `/api/v1/topics/${topic}/messages`, { messages });

  readonly values = async (topic: string, query: string): Promise<unknown[]> => {
    const { messages } = await this.ok('GET', `/api/v1/topics/${topic}/messages?${query}`);
    return (messages as Json[]).map((message) => message['value']);
  };
}

/** Takes one delivery of the group, which the caller answers; resolves to its offset. */
export function takeOne(group: Group): Promise<number> {
  return new Promise((resolve) => {
    let credit = 1;
    const consumer = {
      get credit() {
        return credit;
      },
      creditBytes: Infinity,
      receive: ({ record }: { record: { offset: number } }) => {
        credit = 0;
        const { offset } = record;
        setImmediate(() => {
          group.detach(consumer);
          resolve(offset);
        });
      },
      ended: () => {},
    };
    group.attach(consumer);
  });
}
