import { ByteReader, type ByteWriter } from '../../util/index.ts';
import type { ScheduleState } from './schedule.ts';

/** `uvarint runs, missed, next + 1 (0: none), due less next, last + 1 (0: none)` */
export function writeScheduleTicked(writer: ByteWriter, state: ScheduleState): void {
  const { runs, missed, nextMs = -1, dueMs = nextMs, lastMs = -1 } = state;
  writer
    .uvarint(runs)
    .uvarint(missed)
    .uvarint(nextMs + 1)
    .uvarint(dueMs - nextMs)
    .uvarint(lastMs + 1);
}

export function readScheduleTicked(payload: Uint8Array): ScheduleState {
  const reader = new ByteReader(payload);
  const runs = reader.uvarint();
  const missed = reader.uvarint();
  const nextMs = reader.uvarint() - 1;
  const dueMs = nextMs + reader.uvarint();
  const lastMs = reader.uvarint() - 1;
  return { runs, missed, ...(nextMs < 0 ? {} : { nextMs, dueMs }), ...(lastMs < 0 ? {} : { lastMs }) };
}
