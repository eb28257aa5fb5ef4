export { FilterError } from './filter-error.ts';
export { FilterInput, FilterPolicy, type FilteredAttribute, type FilterScope } from './filter-policy.ts';
