import type { StoredHold } from '../entries.ts';
import { BrokerError } from '../errors.ts';
import type { PostponeScope } from '../model.ts';
import type { Answers } from './answers.ts';
import type { GroupPartition } from './group-partition.ts';
import type { GroupHost, GroupState } from './group-state.ts';
import { PendingState } from './pending.ts';

/** The longest hold, about 24 days. */
const holdMsMax = 2 ** 31 - 1;

/**
 * The holds of a group: times before which nothing of the group, or nothing of one of its keys, is delivered.
 * A consumer asks for them when it cannot handle a message now, which is no failure of the message.
 */
export class GroupHolds {
  readonly #state: GroupState;
  readonly #host: GroupHost;
  readonly #answers: Answers;
  readonly #wake: () => void;

  /** `wake` is called when there may be something to deliver. */
  constructor(state: GroupState, host: GroupHost, answers: Answers, wake: () => void) {
    this.#state = state;
    this.#host = host;
    this.#answers = answers;
    this.#wake = wake;
  }

  /** See {@link Group.postpone}. */
  postpone(position: GroupPartition | undefined, offset: number, ms: number, scope: PostponeScope): boolean {
    const entry = position?.pending.get(offset);
    if (!position || entry?.state !== PendingState.inFlight) return false;
    if (scope === 'key') this.#checkKeyHold(position);
    const nowMs = this.#host.clock.monotonic();
    const forMs = Math.min(Math.max(0, ms), holdMsMax);
    const { key: name } = entry;
    // The key of a message from before a restart may be unknown: then the message alone waits.
    const isOfMessage = scope === 'message' || (scope === 'key' && name === undefined);
    this.#answers.giveBack(position, entry, isOfMessage ? nowMs + forMs : undefined);
    if (scope === 'group') this.#state.heldUntilMs = Math.max(this.#state.heldUntilMs, nowMs + forMs);
    else if (!isOfMessage) position.holdKey(name!, nowMs + forMs, nowMs);
    if (!isOfMessage)
      this.#store({
        untilMs: Math.ceil(this.#host.clock.now() + forMs),
        ...(scope === 'group' ? {} : { key: { partition: position.partition.index, name: name! } }),
      });
    this.#answers.armDeadline(nowMs);
    this.#state.noteChange('soon');
    this.#wake();
    return true;
  }

  #checkKeyHold(position: GroupPartition): void {
    const { config, group, topic } = this.#state;
    if (config.ordering !== 'key')
      throw new BrokerError(
        'not-allowed',
        `Group "${group.name}" of topic "${topic.name}" does not deliver by key, so it cannot hold one: postpone the message, or the group.`,
        { topic: topic.name, group: group.name },
      );
    const refusal = position.keyHoldRefusal;
    if (refusal) throw refusal;
  }

  #store(hold: StoredHold): void {
    if (this.#state.isStored) this.#host.holdGroup(this.#state.group, hold);
  }

  /** Ends all holds. */
  end(): void {
    const nowMs = this.#host.clock.monotonic();
    const { heldUntilMs, positions } = this.#state;
    let ended = heldUntilMs > nowMs ? 1 : 0;
    this.#state.heldUntilMs = -Infinity;
    for (const position of positions.opened) ended += position.endKeyHolds(nowMs);
    if (ended === 0) return;
    this.#store({ untilMs: 0 });
    this.#wake();
  }

  /** Restores a hold from the journal. */
  restore({ untilMs, key }: StoredHold): void {
    const nowMs = this.#host.clock.monotonic();
    const { steady } = this.#host;
    const monotonicMs =
      untilMs === 0 ? -Infinity : nowMs + Math.min(steady.of(untilMs) - steady.now(), holdMsMax);
    if (untilMs === 0) {
      this.#state.heldUntilMs = -Infinity;
      for (const position of this.#state.positions.opened) position.endKeyHolds(nowMs);
    } else if (key === undefined) this.#state.heldUntilMs = Math.max(this.#state.heldUntilMs, monotonicMs);
    else this.#state.positions.at(key.partition)?.holdKey(key.name, monotonicMs, nowMs);
  }

  /** The end of the group's hold by the wall clock; undefined if there is none. */
  get untilMs(): number | undefined {
    return this.#wallMsOf(this.#state.heldUntilMs);
  }

  /** The holds as they are stored. */
  *stored(): IterableIterator<StoredHold> {
    const untilMs = this.untilMs;
    if (untilMs !== undefined) yield { untilMs };
    for (const position of this.#state.positions.opened) {
      for (const [name, heldUntilMs] of position.keyHolds()) {
        const keyUntilMs = this.#wallMsOf(heldUntilMs);
        if (keyUntilMs !== undefined)
          yield { untilMs: keyUntilMs, key: { partition: position.partition.index, name } };
      }
    }
  }

  #wallMsOf(monotonicMs: number): number | undefined {
    const leftMs = monotonicMs - this.#host.clock.monotonic();
    return leftMs > 0 ? Math.ceil(this.#host.clock.now() + leftMs) : undefined;
  }
}
