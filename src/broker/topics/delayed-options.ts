import type { Header, Record } from '../../log/index.ts';

/** The options of a publish that a delayed message keeps in the delay log, and that apply when it is due. */
export interface DelayedOptions {
  readonly priority?: number | undefined;
  /** Its time to live, which begins when it is due. Infinity: no age limit applies to it. */
  readonly ttlMs?: number | undefined;
}

/** The last header of a record in the delay log that has options. It is taken off when the message is due. */
const headerName = 'Pillarbox-Delayed-Options';

/** Adds the options to a record for the delay log. Their JSON has `ttlMs` 0 for Infinity. */
export function addDelayedOptions(record: Record, { priority = 0, ttlMs }: DelayedOptions): void {
  const kept: DelayedOptions = {
    ...(priority === 0 ? {} : { priority }),
    ...(ttlMs === undefined ? {} : { ttlMs: ttlMs === Infinity ? 0 : Math.max(1, Math.ceil(ttlMs)) }),
  };
  // A header of that name that the publisher set must not be taken for options.
  if (Object.keys(kept).length === 0 && !record.headers.some(({ name }) => name === headerName)) return;
  record.headers = [...record.headers, { name: headerName, value: Buffer.from(JSON.stringify(kept)) }];
}

/** Takes the options off a record of the delay log. */
export function takeDelayedOptions(record: Record): DelayedOptions {
  const header: Header | undefined = record.headers.at(-1);
  if (header?.name !== headerName || header.value === null) return {};
  record.headers = record.headers.slice(0, -1);
  const { priority, ttlMs } = JSON.parse(Buffer.from(header.value).toString('utf8')) as DelayedOptions;
  return { priority, ttlMs: ttlMs === 0 ? Infinity : ttlMs };
}
