import type { Attached, Rota } from './rota.ts';
import { Turns } from './turns.ts';

/** What a group has to do, for consumers that take only what is too much for others. */
export interface Workload {
  /** Messages to be delivered, counting at most one of those that are to be redelivered. */
  readonly waiting: number;
  /** Messages delivered and not done. */
  readonly inFlight: number;
}

interface Level {
  readonly priority: number;
  /** Consumers that may have credit. */
  readonly turns: Turns<Attached>;
  /** Number of consumers attached with this priority, wherever they are. */
  count: number;
}

/**
 * The rota of a group whose consumers all take messages. Those of the highest priority take turns of one
 * message each, and those of the next one get what the others have no credit for.
 *
 * A consumer without credit leaves the turns until it may have credit again, so choosing one costs O(1) with
 * any number of consumers, and finding the place of a priority O(log n).
 */
export class RotaByPriority implements Rota {
  readonly #workload: () => Workload;
  /** From the highest priority down. */
  readonly #levels: Level[] = [];
  /** No level above this index has a consumer in its turns. */
  #top = 0;
  /** Consumers that had no credit when it was their turn. */
  readonly #withoutCredit = new Turns<Attached>();
  /** Consumers that wait for a greater workload. Below: the least of what they wait for. */
  readonly #overflow = new Turns<Attached>();
  #waitingMin = Infinity;
  #inFlightMin = Infinity;
  readonly #passedOver = { run: new Turns<Attached>(), message: new Turns<Attached>() };

  constructor(workload: () => Workload) {
    this.#workload = workload;
  }

  get holdsBack(): boolean {
    return this.#overflow.first !== undefined;
  }

  add(attached: Attached): void {
    const { priority } = attached;
    const at = this.#placeOf(priority);
    if (this.#levels[at]?.priority !== priority)
      this.#levels.splice(at, 0, { priority, turns: new Turns(), count: 0 });
    const level = this.#levels[at]!;
    level.count++;
    level.turns.append(attached);
    this.#top = Math.min(this.#top, at);
  }

  remove(attached: Attached): void {
    attached.turns?.remove(attached);
    const at = this.#placeOf(attached.priority);
    if (--this.#levels[at]!.count > 0) return;
    this.#levels.splice(at, 1);
    if (at < this.#top) this.#top--;
  }

  mayHaveCredit(attached: Attached | undefined): void {
    if (attached === undefined) this.#bringBack(this.#withoutCredit);
    else if (attached.turns === this.#withoutCredit) this.#turnsOf(attached).append(attached);
  }

  next(): Attached | undefined {
    if (this.#overflow.first) this.#lookForOverflow();
    for (; this.#top < this.#levels.length; this.#top++) {
      const { turns } = this.#levels[this.#top]!;
      for (let attached = turns.first; attached; attached = turns.first) {
        const { consumer } = attached;
        if (!(consumer.credit > 0)) this.#withoutCredit.append(attached);
        else if (consumer.overflow !== undefined && !this.#isOverflow(attached)) this.#await(attached);
        else return attached;
      }
    }
    return undefined;
  }

  taken({ turns }: Attached): void {
    turns!.rotate();
    if (this.#passedOver.message.first) this.#bringBack(this.#passedOver.message);
  }

  passOver(attached: Attached, until: 'run' | 'message'): void {
    this.#passedOver[until].append(attached);
  }

  runEnded(): void {
    this.#bringBack(this.#passedOver.message);
    this.#bringBack(this.#passedOver.run);
  }

  /** They are next in their levels, in the order in which they left. */
  #bringBack(list: Turns<Attached>): void {
    if (!list.first) return;
    for (const attached of list.takeAll()) this.#turnsOf(attached).prepend(attached);
  }

  /** The turns of a consumer's level, which it is about to join. */
  #turnsOf({ priority }: Attached): Turns<Attached> {
    const at = this.#placeOf(priority);
    this.#top = Math.min(this.#top, at);
    return this.#levels[at]!.turns;
  }

  /** The index of a priority in the levels, or that of the level it goes before. */
  #placeOf(priority: number): number {
    let low = 0;
    let high = this.#levels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#levels[middle]!.priority > priority) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #isOverflow({ consumer }: Attached): boolean {
    const { waiting, inFlight } = this.#workload();
    const { waitingMin = Infinity, inFlightMin = Infinity } = consumer.overflow!;
    return waiting >= waitingMin || inFlight >= inFlightMin;
  }

  #await(attached: Attached): void {
    const { waitingMin = Infinity, inFlightMin = Infinity } = attached.consumer.overflow!;
    this.#waitingMin = Math.min(this.#waitingMin, waitingMin);
    this.#inFlightMin = Math.min(this.#inFlightMin, inFlightMin);
    this.#overflow.append(attached);
  }

  #lookForOverflow(): void {
    const { waiting, inFlight } = this.#workload();
    if (waiting < this.#waitingMin && inFlight < this.#inFlightMin) return;
    this.#waitingMin = Infinity;
    this.#inFlightMin = Infinity;
    this.#bringBack(this.#overflow);
  }
}
