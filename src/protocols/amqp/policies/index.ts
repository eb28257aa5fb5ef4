export { Policies, type HeldPolicies } from './policies.ts';
export type { PolicyTable } from './policy-table.ts';
export {
  alternateOf,
  argumentsOfDefinition,
  effectiveArguments,
  problemOfDefinition,
  type PolicyKind,
} from './policy-definition.ts';
export { policyTargets, type Policy, type PolicyDefinition, type PolicyTarget } from './policy.ts';
