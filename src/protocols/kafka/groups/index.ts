export { GroupCoordinator, type GroupCoordinatorOptions } from './coordinator.ts';
export { GroupConfigs } from './group-configs.ts';
export { groupHandlers } from './handlers/index.ts';
export { ensureGroups } from './handlers/offset-commit.ts';
export { defaultGroupLimits, limitsOfSettings, type GroupLimits } from './limits.ts';
