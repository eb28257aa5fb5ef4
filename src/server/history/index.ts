export { History, type HistoryOptions, type Series, type SeriesKey } from './history.ts';
export { historyFileName, readHistory, writeHistory } from './history-file.ts';
export { HistoryRecorder, backlogOf, brokerKey, keyOfGroup, keyOfTopic } from './recorder.ts';
export { columns, Track, type Column, type Sample, type TrackShape } from './track.ts';
