import { InboxError } from './errors.ts';
import { duplicate, type InboxKey, type InboxStore, type Once } from './store.ts';

/**
 * The effect of a message in Redis: commands, which run in the order of the calls, together with the id, as
 * one script. They have no answers; what the effect needs to know, it reads before.
 */
export interface RedisCommands {
  call(command: string, ...values: readonly (string | number)[]): void;
}

export interface RedisOptions {
  /** How long an id is remembered: Redis forgets it then by itself. */
  readonly keepMs: number;
  /** The prefix of the keys. Default `pillarbox:inbox:`. */
  readonly prefix?: string;
}

/** Runs a script with one key. */
export type RedisEval = (script: string, key: string, values: string[]) => Promise<unknown>;

export interface IoredisClient {
  eval(script: string, keyCount: number, ...keysAndValues: string[]): Promise<unknown>;
}

export interface RedisClientLike {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** An `ioredis` client. */
export function fromIoredis(redis: IoredisClient, options: RedisOptions): InboxStore<RedisCommands> {
  return new RedisStore((script, key, values) => redis.eval(script, 1, key, ...values), options);
}

/** A client of `redis` (node-redis). */
export function fromRedis(client: RedisClientLike, options: RedisOptions): InboxStore<RedisCommands> {
  return new RedisStore(
    (script, key, values) => client.eval(script, { keys: [key], arguments: values }),
    options,
  );
}

// The values: how long to remember, then for each command the number of its parts, and these. The id is set
// last: if a command fails, the message fails visibly, and is tried again.
const onceScript = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local at = 2
while at <= #ARGV do
  local count = tonumber(ARGV[at])
  redis.call(unpack(ARGV, at + 1, at + count))
  at = at + 1 + count
end
redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
return 1`;

class RedisStore implements InboxStore<RedisCommands> {
  readonly #eval: RedisEval;
  readonly #options: RedisOptions;

  constructor(evaluate: RedisEval, options: RedisOptions) {
    if (!(Number.isInteger(options.keepMs) && options.keepMs >= 1))
      throw new InboxError('option-invalid', 'keepMs must be a whole number of milliseconds from 1.');
    this.#eval = evaluate;
    this.#options = options;
  }

  async once<T>(key: InboxKey, effect: (tx: RedisCommands) => T | Promise<T>): Promise<Once<T>> {
    // Saves the effect of a known message; the script decides.
    if ((await this.#eval(`return redis.call('EXISTS', KEYS[1])`, this.#name(key), [])) === 1)
      return duplicate;
    const values = [String(this.#options.keepMs)];
    const value = await effect({
      call: (command, ...parts) => void values.push(String(parts.length + 1), command, ...parts.map(String)),
    });
    const isNew = (await this.#eval(onceScript, this.#name(key), values)) === 1;
    return isNew ? { kind: 'handled', value } : duplicate;
  }

  async forget(key: InboxKey): Promise<boolean> {
    return (await this.#eval(`return redis.call('DEL', KEYS[1])`, this.#name(key), [])) === 1;
  }

  /** Nothing is left to do: ids expire by themselves. */
  async cleanUp(): Promise<number> {
    return 0;
  }

  async migrate(): Promise<void> {
    // Redis needs nothing made.
  }

  #name({ consumer, topic, id }: InboxKey): string {
    const { prefix = 'pillarbox:inbox:' } = this.#options;
    // Lengths, because each part may contain any character.
    return `${prefix}${consumer.length}:${consumer}:${topic.length}:${topic}:${id}`;
  }
}
