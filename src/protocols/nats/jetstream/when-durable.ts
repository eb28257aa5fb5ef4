import type { Topic } from '../../../broker/index.ts';
import type { Context } from './context.ts';

/**
 * Resolves when every message that the topic has now is on disk; returns undefined if they are already. An
 * answer that counts messages, or names the last one, is made first and then waits for this: a crash must not
 * take back messages that a client was told of.
 */
export function whenDurable({ broker }: Context, topic: Topic): Promise<void> | undefined {
  if (topic.partitions.opened.every(({ durableEnd, nextOffset }) => durableEnd === nextOffset))
    return undefined;
  return new Promise((resolve) => broker.afterCommit(resolve));
}
