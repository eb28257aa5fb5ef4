import type { Broker, Topic } from '../../broker/index.ts';
import { readU32, writeI64 } from '../../util/index.ts';
import { zeroUuid, type Uuid } from '../../wire/kafka/index.ts';
import type { TopicIds } from './kafka-host.ts';

const uuidBytes = 16;

/**
 * A topic's Kafka id is computed from the data directory's uuid and the topic's id, which is never reused in
 * that directory. So nothing has to be stored or looked up: the first half names the directory, the second
 * half the topic, in both directions.
 *
 *     first 8 bytes of the directory's uuid | topic id as int64, XOR the last 8 bytes of the uuid
 */
export class DerivedTopicIds implements TopicIds {
  readonly #broker: Broker;
  readonly #uuid: Uint8Array;
  /** Ids by topic object, because every metadata request asks for them. */
  readonly #known = new WeakMap<Topic, Uuid>();

  constructor(broker: Broker) {
    this.#broker = broker;
    this.#uuid = broker.uuid;
  }

  idOf(topic: Topic): Uuid {
    let id = this.#known.get(topic);
    if (id === undefined) this.#known.set(topic, (id = this.#make(topic.id)));
    return id;
  }

  /** No topic has the number 0. */
  get ofOffsetsTopic(): Uuid {
    return this.#make(0);
  }

  #make(topicId: number): Uuid {
    const bytes = Buffer.from(this.#uuid);
    const own = new Uint8Array(uuidBytes);
    writeI64(own, 8, topicId);
    for (let at = 8; at < uuidBytes; at++) bytes[at] = bytes[at]! ^ own[at]!;
    return bytes.toString('base64url');
  }

  topic(id: Uuid): Topic | undefined {
    if (id === zeroUuid) return undefined;
    const bytes = Buffer.from(id, 'base64url');
    for (let at = 0; at < uuidBytes; at++) {
      const byte = bytes[at]! ^ this.#uuid[at]!;
      if (at < 8 && byte !== 0) return undefined;
      bytes[at] = byte;
    }
    const topicId = readU32(bytes, 8) * 2 ** 32 + readU32(bytes, 12);
    return this.#broker.topicById(topicId);
  }
}
