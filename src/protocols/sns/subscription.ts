import { FilterPolicy, type FilterScope } from '../../wire/aws/index.ts';
import { nameInArn } from '../sqs/queue-address.ts';
import type { StoredSubscription, Texts } from './topic-store.ts';

/** A subscription is what sends the messages of a topic to one queue. */
export class Subscription {
  readonly id: string;
  /** The ARN of the queue, as the subscriber wrote it. */
  readonly endpoint: string;
  /** The name of the queue; it need not exist. */
  readonly queue: string;
  #attributes: Texts = {};
  #filter: FilterPolicy | undefined = undefined;
  /** Messages could not be delivered lately: that was told. */
  isFailing = false;

  constructor(id: string, { endpoint, attributes }: StoredSubscription) {
    this.id = id;
    this.endpoint = endpoint;
    this.queue = nameInArn(endpoint) ?? '';
    this.attributes = attributes;
  }

  /** The attributes that the subscriber has set, as it gave them; they were checked. */
  get attributes(): Texts {
    return this.#attributes;
  }

  set attributes(attributes: Texts) {
    this.#attributes = attributes;
    const { FilterPolicy: policy, FilterPolicyScope: scope = 'MessageAttributes' } = attributes;
    this.#filter = policy === undefined ? undefined : new FilterPolicy(policy, scope as FilterScope);
  }

  /** Undefined: it gets every message. */
  get filter(): FilterPolicy | undefined {
    return this.#filter;
  }

  /** Whether the queue gets the message itself, and not an envelope around it. */
  get isRaw(): boolean {
    return this.#attributes['RawMessageDelivery'] === 'true';
  }

  /** The name of the queue that gets what cannot be delivered; undefined if there is none. */
  get deadLetterQueue(): string | undefined {
    const policy = this.#attributes['RedrivePolicy'];
    if (policy === undefined) return undefined;
    const { deadLetterTargetArn } = JSON.parse(policy) as { readonly deadLetterTargetArn?: string };
    return deadLetterTargetArn === undefined ? undefined : nameInArn(deadLetterTargetArn);
  }
}
