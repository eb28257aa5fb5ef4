export type { Alarm, AlarmChange, AlarmLevel, RuleName } from './alarm.ts';
export { type Alarms, openAlarms } from './alarms.ts';
export type { AlarmWatch } from './watch.ts';
