export { ConnectionMeter } from './connection-meter.ts';
export { takeMutations } from './take-mutations.ts';
export { QuotaMeters } from './quota-meters.ts';
export {
  quotaKeys,
  textOfEntity,
  wholeQuotas,
  type QuotaEntity,
  type QuotaKey,
  type QuotaValues,
} from './quota-entity.ts';
export { Quotas } from './quotas.ts';
