export type { Alarm, AlarmChange, AlarmLevel, RuleName } from './alarm.ts';
export { type Alarms, openAlarms } from './alarms.ts';
export { countText, rateText, spanText, waitingText } from './figures.ts';
export type { AlarmWatch } from './watch.ts';
