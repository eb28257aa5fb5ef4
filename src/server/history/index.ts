export { History, type SeriesKey } from './history.ts';
export { historyFileName, readHistory, writeHistory } from './history-file.ts';
export { HistoryRecorder, backlogOf, brokerKey, keyOfGroup, keyOfTopic } from './recorder.ts';
export { Track } from './track.ts';
