export type { Context } from './condition.ts';
export {
  evaluatePolicy,
  parsePolicy,
  PolicyError,
  policyLimits,
  type Policy,
  type Verdict,
} from './policy.ts';
export type { PolicyRequest, Principal } from './statement.ts';
