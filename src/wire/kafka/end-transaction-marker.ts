import { readI16, readI32, ByteWriter } from '../../util/index.ts';
import { encodeRecordBatch } from './record-batch-writer.ts';
import type { BatchRecord } from './records.ts';

/*
 * A control batch has one record, which ends a transaction of its producer in this partition.
 * key => version:int16 type:int16           type: 0 aborts, 1 commits
 * value => version:int16 coordinatorEpoch:int32
 */

/** How a transaction ended in a partition. */
export interface EndTransactionMarker {
  readonly kind: 'abort' | 'commit';
  readonly coordinatorEpoch: number;
}

const keyBytes = 4;
const valueBytes = 6;
const commitType = 1;

/** Encodes the control batch that ends a transaction of a producer. */
export function encodeEndTransactionMarker(
  marker: EndTransactionMarker,
  producer: { readonly producerId: number; readonly producerEpoch: number },
  timestampMs: number,
): Buffer {
  const key = new ByteWriter(keyBytes).i16(0).i16(marker.kind === 'commit' ? commitType : 0);
  const value = new ByteWriter(valueBytes).i16(0).i32(marker.coordinatorEpoch);
  return encodeRecordBatch([{ key: key.view(), value: value.view(), timestampMs }], {
    ...producer,
    isTransactional: true,
    isControl: true,
  });
}

/** Reads the record of a control batch; undefined if it is of another type, which readers skip. */
export function readEndTransactionMarker(record: BatchRecord): EndTransactionMarker | undefined {
  const { key, value } = record;
  if (!key || !value || key.length < keyBytes || value.length < valueBytes) return undefined;
  const type = readI16(key, 2);
  if (type !== 0 && type !== commitType) return undefined;
  return { kind: type === commitType ? 'commit' : 'abort', coordinatorEpoch: readI32(value, 2) };
}
