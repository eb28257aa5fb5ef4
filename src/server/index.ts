export {
  type Configuration,
  type ConfigurationSources,
  type SettingOrigin,
  configurationFileNames,
  loadConfiguration,
} from './config.ts';
export { type ShownSetting, checkConfiguration, shownSettings } from './config-report.ts';
export { ServerError, type ServerErrorCode } from './errors.ts';
export { type Log, type LogFields, type LogOptions, createLog, silentLog } from './log.ts';
export type { Ports } from './ports-file.ts';
export { type PillarboxServer, type ServerOptions, type ServerPorts, startServer } from './server.ts';
export {
  type LogLevel,
  type Setting,
  type Settings,
  environmentName,
  limitsInForce,
  settingTable,
} from './settings.ts';
export { hashPassword, passwordIterations } from './password-hash.ts';
export { secretsInFile } from './secrets.ts';
export { checkExposure, isLoopback } from './address.ts';
export { type DoorPlan, doorsOf } from './door-plans.ts';
export { executeRepair, rehearseRepair, setAsideIn, type RepairReport } from './repair.ts';
