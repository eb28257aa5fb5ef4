export { GroupCoordinator, type GroupCoordinatorOptions } from './coordinator.ts';
export { GroupConfigs, groupConfigRules } from './group-configs.ts';
export { groupHandlers } from './handlers/index.ts';
export { defaultGroupLimits, type GroupLimits } from './limits.ts';
