/** The quotas that can be set: bytes per second, percent of one core, partitions changed per second. */
export const quotaKeys = [
  'producer_byte_rate',
  'consumer_byte_rate',
  'request_percentage',
  'controller_mutation_rate',
] as const;
export type QuotaKey = (typeof quotaKeys)[number];
/** Quotas that are whole numbers. */
export const wholeQuotas: ReadonlySet<string> = new Set<QuotaKey>([
  'producer_byte_rate',
  'consumer_byte_rate',
]);

export type QuotaValues = { readonly [K in QuotaKey]?: number };

/**
 * The clients that a quota applies to: a user, a client id, or both together. Null stands for the default.
 */
export interface QuotaEntity {
  readonly user?: string | null;
  readonly clientId?: string | null;
}

/** A text that is the same for equal entities; {@link entityOfText} parses it. */
export function textOfEntity({ user, clientId }: QuotaEntity): string {
  return JSON.stringify([user === undefined ? [] : [user], clientId === undefined ? [] : [clientId]]);
}

export function entityOfText(text: string): QuotaEntity {
  const [users, clientIds] = JSON.parse(text) as [(string | null)[], (string | null)[]];
  return {
    ...(users.length > 0 && { user: users[0]! }),
    ...(clientIds.length > 0 && { clientId: clientIds[0]! }),
  };
}
