import type { Broker } from '../../broker/index.ts';
import { Attempts } from './attempts.ts';
import { DelayedSends } from './delayed-sends.ts';
import { FirstReceives } from './first-receives.ts';
import { MoveTasks } from './move-tasks.ts';
import { QueueWaits, type QueueWaitOptions } from './queue-waits.ts';
import { Queues } from './queues.ts';
import { ReceiptHandles } from './receipt-handle.ts';

/** What the operations of SQS stand on. */
export class Sqs {
  readonly broker: Broker;
  readonly queues: Queues;
  readonly handles: ReceiptHandles;
  readonly firstReceives: FirstReceives = new FirstReceives();
  readonly attempts: Attempts = new Attempts();
  readonly moves: MoveTasks = new MoveTasks();
  readonly delayedSends: DelayedSends = new DelayedSends();

  readonly waits: QueueWaits;

  constructor(broker: Broker, inFlightMax: number, waits: QueueWaitOptions = { purgeMs: 0, recreateMs: 0 }) {
    this.broker = broker;
    this.waits = new QueueWaits(broker.clock, waits);
    this.queues = new Queues(broker, inFlightMax);
    this.handles = new ReceiptHandles(broker);
  }

  /** Resolves when all changes so far are on disk. */
  committed(): Promise<void> {
    return new Promise((resolve) => this.broker.afterCommit(resolve));
  }

  close(): void {
    this.moves.close();
    this.queues.close();
  }
}
