export { nowMs } from './clock.ts';
export type { LoadJob, LoadReport } from './job.ts';
export { Load, runLoad } from './load.ts';
