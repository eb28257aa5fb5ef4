/**
 * @platformatic/kafka: the version that runs on the oldest Node we promise to work on, or the one in the
 * folder that PLATFORMATIC_KAFKA names, which `.ci/run` sets for the newer Node.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Client from '@platformatic/kafka';

const folder = process.env['PLATFORMATIC_KAFKA'];
const place =
  folder === undefined ? '@platformatic/kafka' : pathToFileURL(join(folder, 'dist', 'index.js')).href;
const client = (await import(place)) as typeof Client;

export const Admin: typeof Client.Admin = client.Admin;
export const Consumer: typeof Client.Consumer = client.Consumer;
export const Producer: typeof Client.Producer = client.Producer;
export const stringDeserializers: typeof Client.stringDeserializers = client.stringDeserializers;
export const stringSerializers: typeof Client.stringSerializers = client.stringSerializers;

/**
 * Transactions came with 1.27, but its dependencies need a newer Node than our oldest: the types of the
 * installed version may lack them.
 */
export interface TransactionalProducer {
  beginTransaction(): Promise<{
    addConsumer(consumer: unknown): Promise<unknown>;
    send(batch: {
      readonly messages: readonly { readonly topic: string; readonly value: string }[];
    }): Promise<unknown>;
    addOffset(message: unknown): Promise<unknown>;
    commit(): Promise<unknown>;
    abort(): Promise<unknown>;
  }>;
  close(): Promise<unknown>;
}

const hasTransactions = 'beginTransaction' in client.Producer.prototype;

/**
 * Whether the client writes a missing value as null; the versions without transactions write an empty one.
 */
export const writesNull: boolean = hasTransactions;

/** False, or why tests of transactions are skipped. */
export const skipTransactions: string | false = hasTransactions
  ? false
  : 'this @platformatic/kafka has no transactions; .ci/peers brings one that does (PLATFORMATIC_KAFKA)';

export function transactionalProducer(options: {
  readonly clientId: string;
  readonly bootstrapBrokers: string[];
  readonly transactionalId: string;
}): TransactionalProducer {
  const producer: unknown = new client.Producer({
    ...options,
    autocreateTopics: true,
    serializers: client.stringSerializers,
    idempotent: true,
  });
  return producer as TransactionalProducer;
}
