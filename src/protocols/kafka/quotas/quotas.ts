import type { Attributes } from '../../../broker/index.ts';
import {
  entityOfText,
  textOfEntity,
  type QuotaEntity,
  type QuotaKey,
  type QuotaValues,
} from './quota-entity.ts';

/** The name under which the broker keeps quotas; each attribute is named after the text of its entity. */
const quotaAttributes = 'kafka-quotas';

/** The quota that applies to a client. All clients with the same `sharedBy` share it. */
export interface AppliedQuota {
  readonly limit: number;
  readonly sharedBy: string;
}

/** The quotas of clients, kept durably among the broker's attributes. */
export class Quotas {
  /** Incremented by each change. */
  version = 0;
  readonly #attributes: Attributes;
  readonly #max: number;
  readonly #byEntity = new Map<string, QuotaValues>();

  constructor(attributes: Attributes, max: number) {
    this.#attributes = attributes;
    this.#max = max;
    for (const text of attributes.names(quotaAttributes))
      this.#byEntity.set(text, attributes.get(quotaAttributes, text) as QuotaValues);
  }

  get size(): number {
    return this.#byEntity.size;
  }

  *entries(): Iterable<readonly [entity: QuotaEntity, values: QuotaValues]> {
    for (const [text, values] of this.#byEntity) yield [entityOfText(text), values];
  }

  of(entity: QuotaEntity): QuotaValues {
    return this.#byEntity.get(textOfEntity(entity)) ?? {};
  }

  hasRoomFor(entity: QuotaEntity): boolean {
    return this.size < this.#max || this.#byEntity.has(textOfEntity(entity));
  }

  /** Applies at once, and resolves when it is durable. Without values the entity is removed. */
  async set(entity: QuotaEntity, values: QuotaValues): Promise<void> {
    const text = textOfEntity(entity);
    const value = Object.keys(values).length === 0 ? undefined : values;
    const isDurable = this.#attributes.set(quotaAttributes, text, value);
    if (this.#attributes.get(quotaAttributes, text) === value) {
      this.version++;
      if (value === undefined) this.#byEntity.delete(text);
      else this.#byEntity.set(text, value);
    }
    await isDurable;
  }

  /**
   * The quota of a client: that of its user and client id, of its user, of its client id, or a default, in
   * Kafka's order. A default applies to each user or client id separately.
   */
  find(key: QuotaKey, user: string, clientId: string): AppliedQuota | undefined {
    const both = JSON.stringify([user, clientId]);
    const ofUser = JSON.stringify([user]);
    const candidates: readonly (readonly [entity: QuotaEntity, sharedBy: string])[] = [
      [{ user, clientId }, both],
      [{ user, clientId: null }, both],
      [{ user }, ofUser],
      [{ user: null, clientId }, both],
      [{ user: null, clientId: null }, both],
      [{ user: null }, ofUser],
      [{ clientId }, JSON.stringify([null, clientId])],
      [{ clientId: null }, JSON.stringify([null, clientId])],
    ];
    for (const [entity, sharedBy] of candidates) {
      const limit = this.of(entity)[key];
      if (limit !== undefined) return { limit, sharedBy };
    }
    return undefined;
  }
}
