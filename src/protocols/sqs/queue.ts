import { defaultGroup, type Group, type Topic } from '../../broker/index.ts';
import { names, shownName } from '../names.ts';
import { defaultOf, isOfFifo, type AttributeTexts, type SettableName } from './attribute-rules.ts';

/** What is kept of a queue with its topic: all that SQS alone knows. */
export interface StoredQueue {
  /** The attributes that clients have set, as they gave them. */
  readonly attributes: AttributeTexts;
  readonly tags: { readonly [key: string]: string };
  /** Milliseconds since the epoch. */
  readonly modifiedMs: number;
  /** SQS has created the queue. Absent: another protocol has, whose deadlines SQS leaves alone. */
  readonly isOwn?: true;
}

const plain: StoredQueue = { attributes: {}, tags: {}, modifiedMs: 0 };

/**
 * A queue is a topic with its group `default`, as SQS clients see it. Any topic is a queue: its group comes
 * into being when an SQS client first receives from it.
 */
export class Queue {
  readonly topic: Topic;

  constructor(topic: Topic) {
    this.topic = topic;
  }

  get name(): string {
    return shownName(this.topic.name, names.sqs.topic);
  }

  get stored(): StoredQueue {
    return (this.topic.config.attributes['sqs'] as StoredQueue | undefined) ?? plain;
  }

  get isFifo(): boolean {
    return this.stored.attributes.FifoQueue === 'true';
  }

  /** Undefined until a consumer has used the queue, if another protocol made the topic. */
  get group(): Group | undefined {
    return this.topic.groups.get(defaultGroup);
  }

  /** The value of an attribute; undefined if the queue has none. */
  attribute(name: SettableName): string | undefined {
    if (isOfFifo(name) && !this.isFifo) return undefined;
    return this.#ofConfig(name) ?? this.stored.attributes[name] ?? defaultOf(name);
  }

  /** An attribute that is a number of seconds or bytes, and that every queue has. */
  numberOf(
    name:
      | 'DelaySeconds'
      | 'MaximumMessageSize'
      | 'MessageRetentionPeriod'
      | 'ReceiveMessageWaitTimeSeconds'
      | 'VisibilityTimeout',
  ): number {
    return Number(this.attribute(name));
  }

  /** An attribute that topic and group obey: their configuration counts, whoever has changed it. */
  #ofConfig(name: SettableName): string | undefined {
    if (name === 'MessageRetentionPeriod') {
      const { ageMsMax } = this.topic.config;
      // Fourteen days are the most that SQS knows.
      return ageMsMax === undefined ? '1209600' : String(Math.max(1, Math.round(ageMsMax / 1000)));
    }
    if (name === 'VisibilityTimeout' && this.stored.isOwn === true && this.group)
      return String(Math.round(this.group.config.ackWaitMs / 1000));
    return undefined;
  }
}

/** The broker has no deadline of 0: a millisecond stands for it. */
export function ackWaitMsOf(visibility: number): number {
  return visibility === 0 ? 1 : visibility * 1000;
}
