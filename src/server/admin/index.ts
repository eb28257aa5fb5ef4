export { applyInitFile } from './init-file.ts';
export { HistoryRecorder } from '../history/index.ts';
export type { AdminContext } from './context.ts';
export { type AdminHttp, listenAdminHttp } from './http.ts';
export { loadMetrics } from './metrics.ts';
export { OldestTimes } from './oldest-times.ts';
export { routes } from './routes.ts';
export { Sessions } from './sessions.ts';
