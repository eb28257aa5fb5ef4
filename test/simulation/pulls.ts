import { Collector, type Delivery, type Group } from '../../src/broker/index.ts';
import type { Clock } from '../../src/util/index.ts';
import { codeOf } from './error-code.ts';
import type { History } from './history.ts';
import { groupKeyOf } from './keys.ts';
import type { PullOptions } from './script.ts';

/** A pull is under way: clients may hold it back. */
interface PullUnderWay {
  readonly group: string;
  readonly collector: Collector;
}

/** Pulls of clients that use the broker's collector. */
export class Pulls {
  readonly #history: History;
  readonly #clock: Clock;
  #underWay: PullUnderWay[] = [];

  constructor(history: History, clock: Clock) {
    this.#history = history;
    this.#clock = clock;
  }

  /** Those of a process that is gone are over. */
  connect(): void {
    this.#underWay = [];
  }

  /** `number`: its name in the history. */
  start(
    group: Group,
    number: number,
    options: PullOptions,
    delivered: (delivery: Delivery, ackWaitMs: number | undefined) => void,
  ): void {
    const history = this.#history;
    const key = groupKeyOf(group);
    history.add({ kind: 'pull', pull: number, group: key, options });
    history.add({
      kind: 'attaching',
      group: key,
      consumer: number,
      member: options.member,
      isExclusive: false,
      isPull: true,
    });
    let isRefused = false;
    const collector = new Collector(
      this.#clock,
      { ...options, label: String(number) },
      {
        collected: (delivery) => {
          delivered(delivery, options.ackWaitMs);
          return delivery.bytes;
        },
        completed: (end) => {
          const isPaused = group.isPaused;
          history.add({ kind: 'detached', group: key, consumer: number });
          if (!isRefused) history.add({ kind: 'pulled', pull: number, end, isPaused });
          this.#underWay = this.#underWay.filter((other) => other.collector !== collector);
        },
      },
    );
    this.#underWay.push({ group: key, collector });
    try {
      collector.attach({
        attach: (consumer) => {
          isRefused = true;
          group.attach(consumer);
          isRefused = false;
        },
        detach: (consumer, how) => group.detach(consumer, how),
        wake: (consumer) => group.wake(consumer),
        whenIdle: (callback) => group.whenIdle(callback),
      });
    } catch (error) {
      history.add({ kind: 'attach-outcome', group: key, consumer: number, refused: codeOf(error) });
      return;
    }
    history.add({ kind: 'attach-outcome', group: key, consumer: number });
  }

  /** The reader of the last pull of the group is behind, or goes on. */
  hold(group: Group, isHeld: boolean): void {
    const key = groupKeyOf(group);
    const collector = this.#underWay.findLast((pull) => pull.group === key)?.collector;
    if (isHeld) collector?.hold();
    else collector?.resume();
  }

  /** All that are held go on. */
  resumeAll(): void {
    for (const { collector } of this.#underWay) collector.resume();
  }
}
