export { GroupCoordinator } from './coordinator.ts';
export { groupHandlers } from './handlers/index.ts';
export { ensureGroups } from './handlers/offset-commit.ts';
export { limitsOfSettings, type GroupLimits } from './limits.ts';
