import type { Answer, Incoming } from './driver.ts';
import type { ClientContext } from './context.ts';
import type { GroupPlan } from './group-settings.ts';
import { backoffMs } from './retries.ts';

/** How a delivery was answered; `undefined` while unanswered. */
export type Settlement = 'acked' | 'nacked' | 'rejected' | 'released' | 'postponed';

const settlements = {
  ack: 'acked',
  retry: 'nacked',
  dead: 'rejected',
  release: 'released',
  postpone: 'postponed',
} as const satisfies { [K in Answer['kind']]: Settlement };

/** The longest text that a dead letter keeps of the reason of its last failure. */
const reasonLengthMax = 200;

/** A held message was delivered, and is to be answered once. */
export class Held {
  readonly incoming: Incoming;
  /** On the monotonic clock: when its handler started; undefined while it waits. */
  startedMs: number | undefined;
  settled: Settlement | undefined;
  readonly #context: ClientContext;
  readonly #plan: GroupPlan;
  readonly #answered: (held: Held) => void;

  constructor(context: ClientContext, plan: GroupPlan, incoming: Incoming, answered: (held: Held) => void) {
    this.#context = context;
    this.#plan = plan;
    this.incoming = incoming;
    this.#answered = answered;
  }

  /**
   * The answer to a failure: again later, or given up if it failed too often. A target that makes dead
   * letters counts by itself, and knows of deliveries that do not count.
   */
  retry(reason: string, delayMs?: number): Answer {
    const { deliveries } = this.incoming;
    const shown = reason.slice(0, reasonLengthMax);
    if (this.#clientCounts && deliveries >= this.#plan.maxDeliver)
      return { kind: 'dead', cause: 'max-deliveries', reason: shown };
    const wait = delayMs ?? backoffMs(this.#plan, deliveries, this.#context.random);
    return { kind: 'retry', delayMs: wait, reason: shown };
  }

  /** Whether it came more often than the group allows: its consumers ended without a word. */
  get isBeyondLimit(): boolean {
    return this.#clientCounts && this.incoming.deliveries > this.#plan.maxDeliver;
  }

  get #clientCounts(): boolean {
    return this.#context.driver.capabilities.deadLetters !== 'target';
  }

  /** Only the first answer counts; resolves to false for others. */
  async answer(answer: Answer, confirm: boolean): Promise<boolean> {
    if (this.settled !== undefined) return false;
    this.settled = settlements[answer.kind];
    this.#answered(this);
    try {
      return await this.incoming.settle(answer, confirm);
    } catch (error) {
      if (confirm) throw error;
      this.#context.report(error as Error);
      return false;
    }
  }
}
