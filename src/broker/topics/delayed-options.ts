import type { Header, Record } from '../../log/index.ts';

/** The options of a publish that a delayed message keeps in the delay log, and that apply when it is due. */
export interface DelayedOptions {
  readonly priority?: number;
}

/** The last header of a record in the delay log that has options. It is taken off when the message is due. */
const headerName = 'Pillarbox-Delayed-Options';

/** Adds the options to a record for the delay log. */
export function addDelayedOptions(record: Record, options: DelayedOptions): void {
  const { priority = 0 } = options;
  const kept: DelayedOptions = priority === 0 ? {} : { priority };
  // A header of that name that the publisher set must not be taken for options.
  if (Object.keys(kept).length === 0 && !record.headers.some(({ name }) => name === headerName)) return;
  record.headers = [...record.headers, { name: headerName, value: Buffer.from(JSON.stringify(kept)) }];
}

/** Takes the options off a record of the delay log. */
export function takeDelayedOptions(record: Record): DelayedOptions {
  const header: Header | undefined = record.headers.at(-1);
  if (header?.name !== headerName || header.value === null) return {};
  record.headers = record.headers.slice(0, -1);
  return JSON.parse(Buffer.from(header.value).toString('utf8')) as DelayedOptions;
}
