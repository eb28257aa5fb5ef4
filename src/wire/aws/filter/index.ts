export { FilterError } from './filter-error.ts';
export {
  filterLimits,
  FilterPolicy,
  type FilteredAttribute,
  type FilteredMessage,
  type FilterScope,
} from './filter-policy.ts';
