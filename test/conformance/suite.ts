import { after, before } from 'node:test';
import { uniqueName } from '../support/index.ts';
import type {
  DeliveryBroker,
  DeliveryCapability,
  DeliveryDriver,
  GroupOptions,
  TopicKind,
  TopicOptions,
} from './delivery-driver.ts';
import { NEVER_MS, defineFact, numbers } from './facts.ts';

/** A suite is a list of facts about one broker, reached by one driver. Made within a `describe`. */
export class Suite {
  readonly driver: DeliveryDriver;
  #broker: DeliveryBroker | undefined;

  constructor(driver: DeliveryDriver) {
    this.driver = driver;
    before(async () => {
      this.#broker = await driver.start();
    });
    after(async () => {
      await this.#broker?.[Symbol.asyncDispose]();
    });
  }

  /** The broker, while facts run. */
  get broker(): DeliveryBroker {
    return this.#broker!;
  }

  fact(name: string, needs: readonly DeliveryCapability[], body: () => Promise<void>): void {
    defineFact(this.driver, name, needs, body);
  }

  /** Makes a topic with the messages "1".."count" and the group `g`, whose deliveries never time out. */
  async setUp(
    count: number,
    options: GroupOptions = {},
    kind: TopicKind = 'queue',
    topicOptions?: TopicOptions,
  ): Promise<string> {
    const topic = uniqueName('topic');
    await this.broker.createTopic(topic, kind, topicOptions);
    await this.broker.createGroup(topic, 'g', { ackDeadlineMs: NEVER_MS, ...options });
    for (const value of numbers(count)) await this.broker.publish(topic, { value });
    return topic;
  }
}
