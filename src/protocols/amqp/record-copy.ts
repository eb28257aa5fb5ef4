import { recordOf, type Record } from '../../broker/index.ts';

/** A copy of a record that stays when the bytes that it stands in are used again. */
export function copyOf({ key, headers, value }: Record): Record {
  return recordOf({
    key,
    headers: headers.map(({ name, value }) => ({ name, value: value && Buffer.from(value) })),
    value,
  });
}
