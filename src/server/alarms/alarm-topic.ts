import type { Broker } from '../../broker/index.ts';
import type { AlarmChange } from './alarm.ts';
import { noticeOf, type NoticeCounts } from './notice.ts';

/** Messages of an alarm topic that the broker makes; the oldest go first. */
const messagesMax = 100_000;
/** Notices under way to their topic at once. */
const underWayMax = 1000;

/**
 * The alarm topic gets a message for each change of an alarm, with its rule as key, in the form that webhooks
 * get. The topic is made with the first one.
 */
export class AlarmTopic {
  readonly name: string;
  readonly counts: NoticeCounts = { delivered: 0, failed: 0, dropped: 0 };
  readonly #broker: Broker;
  readonly #uuid: string;
  readonly #onTrouble: (error: unknown) => void;
  #underWay = 0;
  /** The last notice: the next goes to the topic after it. */
  #last: Promise<void> = Promise.resolve();
  #isInTrouble = false;

  constructor(name: string, broker: Broker, onTrouble: (error: unknown) => void) {
    this.name = name;
    this.#broker = broker;
    this.#uuid = Buffer.from(broker.uuid).toString('hex');
    this.#onTrouble = onTrouble;
  }

  tell(change: AlarmChange): void {
    if (this.#underWay >= underWayMax) {
      this.counts.dropped++;
      return;
    }
    this.#underWay++;
    this.#last = this.#last
      .then(() => this.#publish(change))
      .then(
        () => {
          this.counts.delivered++;
          this.#isInTrouble = false;
        },
        (error: unknown) => {
          this.counts.failed++;
          if (!this.#isInTrouble) this.#onTrouble(error);
          this.#isInTrouble = true;
        },
      )
      .finally(() => void this.#underWay--);
  }

  async #publish(change: AlarmChange): Promise<void> {
    const { rule, body } = noticeOf(change, this.#uuid);
    const topic =
      this.#broker.topic(this.name) ?? (await this.#broker.createTopic({ name: this.name, messagesMax }));
    await topic.send({ key: rule, value: body });
  }
}
