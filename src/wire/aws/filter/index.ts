export { FilterError } from './filter-error.ts';
export {
  filterLimits,
  FilterInput,
  FilterPolicy,
  type FilteredAttribute,
  type FilterScope,
} from './filter-policy.ts';
