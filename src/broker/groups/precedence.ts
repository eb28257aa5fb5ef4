import type { Consumer, ConsumerInfo } from '../model.ts';
import { ActiveConsumer } from './active-consumer.ts';
import { Consumers } from './consumers.ts';
import { workloadOf } from './group-info.ts';
import type { GroupHost, GroupState } from './group-state.ts';
import type { Rota } from './rota.ts';
import { RotaByPriority } from './rota-by-priority.ts';

/** How long an active consumer may show no sign of life, unless its group says otherwise. */
const activeSilenceMs = 120_000;

/**
 * The precedence among the consumers of a group: all take messages, by priority ({@link RotaByPriority}), or
 * a single one does ({@link ActiveConsumer}). The configuration of the group decides.
 */
export class Precedence {
  readonly consumers: Consumers;
  readonly #state: GroupState;
  readonly #host: GroupHost;
  readonly #wake: () => void;

  /** `wake` is called when there may be something to deliver. */
  constructor(state: GroupState, host: GroupHost, wake: () => void) {
    this.#state = state;
    this.#host = host;
    this.#wake = wake;
    this.consumers = new Consumers(state.group, this.#rota());
  }

  /** The group has a new configuration. */
  configured(): void {
    const { active, config } = this.#state;
    const isSingle = config.activeConsumers === 'single';
    if (isSingle === (active !== undefined)) return active?.silenceChanged();
    active?.stop();
    this.consumers.setRota(this.#rota());
  }

  #rota(): Rota {
    const state = this.#state;
    if (state.config.activeConsumers !== 'single') {
      state.active = undefined;
      return new RotaByPriority(() => workloadOf(state));
    }
    state.active = new ActiveConsumer({
      clock: this.#host.clock,
      group: state.group,
      attached: () => this.consumers.attached,
      silenceMs: () => state.config.activeSilenceMs ?? activeSilenceMs,
      emit: (event) => this.#host.emit(event),
      wake: this.#wake,
    });
    return state.active;
  }

  isActive(consumer: Consumer): boolean {
    const { active } = this.#state;
    const attached = this.consumers.find(consumer);
    return attached !== undefined && (active === undefined || active.isActive(attached));
  }

  /** The consumers in the order of attachment. */
  list(): ConsumerInfo[] {
    const { active } = this.#state;
    return Array.from(this.consumers.attached, (attached) => {
      const { consumer, priority, size, heldSinceMs, isExclusive } = attached;
      return {
        label: consumer.label,
        connection: consumer.connection,
        member: consumer.member,
        priority,
        active: active === undefined || active.isActive(attached),
        exclusive: isExclusive,
        credit: consumer.credit,
        held: size,
        heldSinceMs,
      };
    });
  }
}
