import type { Broker } from '../../../../broker/index.ts';

/** Resolves when all changes so far are on disk. */
export function afterCommit(broker: Broker): Promise<void> {
  return new Promise((resolve) => broker.afterCommit(resolve));
}
