export { Policies } from './policies.ts';
export {
  argumentsOfDefinition,
  effectiveArguments,
  policyTargets,
  problemOfDefinition,
  type Policy,
  type PolicyDefinition,
  type PolicyTarget,
} from './policy.ts';
