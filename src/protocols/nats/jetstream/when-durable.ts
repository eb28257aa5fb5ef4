import type { Topic } from '../../../broker/index.ts';
import type { Context } from './context.ts';

/**
 * Resolves when every message that the topic holds now is on disk; undefined when it is. An answer that
 * counts messages, or names the last one, is made first, and waits for this: a crash must not take back what
 * somebody was told.
 */
export function whenDurable({ broker }: Context, topic: Topic): Promise<void> | undefined {
  if (topic.partitions.opened.every(({ durableEnd, nextOffset }) => durableEnd === nextOffset))
    return undefined;
  return new Promise((resolve) => broker.afterCommit(resolve));
}
