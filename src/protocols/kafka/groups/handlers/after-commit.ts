import type { Broker } from '../../../../broker/index.ts';

/** Resolves when everything done so far is on disk. */
export function afterCommit(broker: Broker): Promise<void> {
  return new Promise((resolve) => broker.afterCommit(resolve));
}
