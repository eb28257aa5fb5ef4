import { BrokerError } from '../errors.ts';
import type { AttachOptions, Consumer, Group } from '../model.ts';
import { Attachment } from './attachment.ts';
import type { Attached, Rota } from './rota.ts';

/** The consumers of a group. Its {@link Rota} says which of them gets the next message. */
export class Consumers {
  readonly #group: Group;
  readonly #attached = new Map<Consumer, Attached>();
  #exclusive: Attached | undefined = undefined;
  #rota: Rota;

  constructor(group: Group, rota: Rota) {
    this.#group = group;
    this.#rota = rota;
  }

  get count(): number {
    return this.#attached.size;
  }

  /** In the order of attachment. */
  get attached(): IterableIterator<Attached> {
    return this.#attached.values();
  }

  get rota(): Rota {
    return this.#rota;
  }

  /** From now on another rota decides. */
  setRota(rota: Rota): void {
    for (const attached of this.attached) attached.turns?.remove(attached);
    this.#rota = rota;
    for (const attached of this.attached) rota.add(attached);
  }

  /** Throws a BrokerError of code `consumer-exclusive`. */
  add(consumer: Consumer, { exclusive = false }: AttachOptions): void {
    const attached: Attached = new Attachment(consumer, exclusive);
    const other = this.#obstacle(attached);
    if (other) throw exclusiveError(this.#group, other);
    this.#attached.set(consumer, attached);
    if (exclusive) this.#exclusive = attached;
    this.#rota.add(attached);
  }

  /** A consumer that keeps this one from attaching, because one of the two is exclusive. */
  #obstacle(attached: Attached): Attached | undefined {
    if (this.#exclusive && !this.#exclusive.isOfMember(attached)) return this.#exclusive;
    if (!attached.isExclusive) return undefined;
    for (const other of this.#attached.values()) if (!attached.isOfMember(other)) return other;
    return undefined;
  }

  find(consumer: Consumer): Attached | undefined {
    return this.#attached.get(consumer);
  }

  /** Undefined if the consumer is not attached. */
  remove(consumer: Consumer, returns: boolean): Attached | undefined {
    const attached = this.#attached.get(consumer);
    if (!attached) return undefined;
    this.#attached.delete(consumer);
    if (this.#exclusive === attached) this.#exclusive = this.#otherExclusive();
    this.#rota.remove(attached, returns);
    return attached;
  }

  #otherExclusive(): Attached | undefined {
    for (const attached of this.#attached.values()) if (attached.isExclusive) return attached;
    return undefined;
  }

  removeAll(): Attached[] {
    const all = [...this.#attached.values()];
    this.#attached.clear();
    this.#exclusive = undefined;
    return all;
  }

  /** A consumer may have credit again; undefined: any of them. */
  mayHaveCredit(consumer: Consumer | undefined): void {
    if (consumer === undefined) return this.#rota.mayHaveCredit(undefined);
    const attached = this.#attached.get(consumer);
    if (attached) this.#rota.mayHaveCredit(attached);
  }
}

function exclusiveError({ name, topic }: Group, { consumer, isExclusive }: Attached): BrokerError {
  const label = consumer.label === undefined ? '' : ` ("${consumer.label}")`;
  const problem = isExclusive
    ? `Group "${name}" of topic "${topic.name}" has an exclusive consumer${label}; consume from another group, or wait until it has left.`
    : `Group "${name}" of topic "${topic.name}" has another consumer${label}, so no exclusive one can attach; wait until it has left, or consume from another group.`;
  return new BrokerError('consumer-exclusive', problem, { topic: topic.name, group: name });
}
