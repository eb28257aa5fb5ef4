import { Queue } from '../util/index.ts';
import type { Incoming } from './delivery.ts';

/** A lane is a message that is handled, and the later ones of its key that wait for their turn. */
export interface Lane {
  readonly name: string;
  running: Incoming;
  readonly waiting: Queue<Incoming>;
}

/**
 * Key lanes make the messages of a run, which arrive together, pass through a handler one after another. If
 * one fails, those behind it go back, because they come again after it.
 */
export class KeyLanes {
  readonly #lanes = new Map<string, Lane>();

  /** The lane of a message that starts now; undefined if the message waits for its turn. */
  enter(incoming: Incoming): Lane | undefined {
    const { partition, key } = incoming.parts;
    const name = `${partition} ${key ?? ''}`;
    const lane = this.#lanes.get(name);
    // If the time of a message is over, the broker has given its run up, and this is a new one.
    if (lane && !lane.running.receipt.isOverdue) {
      lane.waiting.push(incoming);
      return undefined;
    }
    const opened = { name, running: incoming, waiting: new Queue<Incoming>() };
    this.#lanes.set(name, opened);
    return opened;
  }

  /** The message of the lane was handled. Returns the next one; undefined if none is left. */
  next(lane: Lane): Incoming | undefined {
    const { settled } = lane.running.receipt;
    if (settled !== 'acked' && settled !== 'rejected') release(lane);
    const next = lane.waiting.shift();
    if (next) lane.running = next;
    else if (this.#lanes.get(lane.name) === lane) this.#lanes.delete(lane.name);
    return next;
  }

  /** Gives back all messages that wait. */
  close(): void {
    for (const lane of this.#lanes.values()) release(lane);
  }
}

function release({ waiting }: Lane): void {
  for (let behind = waiting.shift(); behind; behind = waiting.shift()) behind.receipt.release();
}
