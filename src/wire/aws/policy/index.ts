export type { Context } from './condition.ts';
export { evaluatePolicy, parsePolicy, PolicyError, type Policy, type Verdict } from './policy.ts';
export type { PolicyRequest } from './statement.ts';
