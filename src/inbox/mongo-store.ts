import { duplicate, type InboxKey, type InboxStore, type Once } from './store.ts';

export interface MongoSession {
  withTransaction<T>(work: () => Promise<T>): Promise<T>;
  endSession(): Promise<void>;
}

interface MongoCollection {
  insertOne(document: object, options?: object): Promise<unknown>;
  deleteOne(filter: object): Promise<{ deletedCount: number }>;
  deleteMany(filter: object): Promise<{ deletedCount: number }>;
  find(filter: object, options: object): { toArray(): Promise<readonly { readonly _id: unknown }[]> };
  createIndex(keys: object): Promise<unknown>;
}

/** A `MongoClient`. */
export interface MongoClientLike<Session extends MongoSession> {
  startSession(): Session;
  db(name?: string): unknown;
}

export interface MongoOptions {
  /** The database. Default: that of the connection. */
  readonly database?: string;
  /** Default `pillarbox_inbox`. */
  readonly collection?: string;
}

/**
 * A `MongoClient` of `mongodb`. The effect gets the session, and gives it to each of its operations. It may
 * run more than once before a commit, because the driver repeats transactions that had a conflict.
 * Transactions need a replica set.
 */
export function fromMongo<Session extends MongoSession>(
  client: MongoClientLike<Session>,
  options: MongoOptions = {},
): InboxStore<Session> {
  return new MongoStore(client, options);
}

/** Thrown to leave a transaction, which MongoDB has ended already, without a commit. */
class DuplicateError extends Error {}

class MongoStore<Session extends MongoSession> implements InboxStore<Session> {
  readonly #client: MongoClientLike<Session>;
  readonly #collection: MongoCollection;

  constructor(client: MongoClientLike<Session>, { database, collection = 'pillarbox_inbox' }: MongoOptions) {
    this.#client = client;
    const db = client.db(database) as { collection(name: string): MongoCollection };
    this.#collection = db.collection(collection);
  }

  async once<T>(key: InboxKey, effect: (session: Session) => T | Promise<T>): Promise<Once<T>> {
    const session = this.#client.startSession();
    try {
      return await session.withTransaction(async () => {
        await this.#insert(key, session);
        return { kind: 'handled', value: await effect(session) };
      });
    } catch (error) {
      if (error instanceof DuplicateError) return duplicate;
      throw error;
    } finally {
      await session.endSession();
    }
  }

  async #insert(key: InboxKey, session: Session): Promise<void> {
    try {
      await this.#collection.insertOne({ _id: idOf(key), handledMs: Date.now() }, { session });
    } catch (error) {
      if ((error as { code?: unknown }).code === 11_000) throw new DuplicateError('handled before');
      throw error;
    }
  }

  async forget(key: InboxKey): Promise<boolean> {
    return (await this.#collection.deleteOne({ _id: idOf(key) })).deletedCount === 1;
  }

  async cleanUp(
    consumer: string,
    { olderThanMs, stepRows }: { olderThanMs: number; stepRows: number },
  ): Promise<number> {
    const isOld = { '_id.consumer': consumer, handledMs: { $lt: Date.now() - olderThanMs } };
    const choice = { sort: { handledMs: 1 }, limit: stepRows, projection: { _id: 1 } };
    const old = await this.#collection.find(isOld, choice).toArray();
    if (old.length === 0) return 0;
    return (await this.#collection.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } })).deletedCount;
  }

  async migrate(): Promise<void> {
    await this.#collection.createIndex({ '_id.consumer': 1, handledMs: 1 });
  }
}

/** Members in one order always: MongoDB compares documents member by member. */
function idOf({ consumer, topic, id }: InboxKey): object {
  return { consumer, topic, id };
}
