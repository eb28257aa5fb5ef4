import type { Exchanges } from '../exchanges/index.ts';
import type { PublishTargets } from '../publish-targets.ts';
import type { Queues } from '../queues.ts';

/** A virtual host has queues, exchanges and bindings of its own. A connection is in one of them. */
export interface VirtualHost {
  readonly name: string;
  readonly queues: Queues;
  readonly exchanges: Exchanges;
  readonly targets: PublishTargets;
}
