export { answer } from './answer.ts';
export type { SnsLimits } from './limits.ts';
export { Sns, type UndeliveredReport } from './sns.ts';
