import { parseArgs } from 'node:util';

/** The options of `node dist/examples/flights/main.js`. */
export interface FlightsOptions {
  readonly records: number;
  readonly workers: number;
  /** Print the result as JSON, for tests. */
  readonly json: boolean;
  /** Run against this nats-server binary instead, for comparison. */
  readonly natsServer: string | undefined;
}

export const usage = `Replays flight records through a work queue, kills a worker and then the broker midway, and counts.

  node dist/examples/flights/main.js [--records N] [--workers N] [--json] [--nats-server PATH]

  --records N          how many records, 1 to 200,000 (default: all)
  --workers N          worker processes, at least 2 (default: 3)
  --json               print the result as JSON
  --nats-server PATH   use that nats-server instead of Pillarbox, for comparison
`;

/** Throws an Error with one clear sentence for invalid flags; undefined if help was requested. */
export function readOptions(args: readonly string[]): FlightsOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      records: { type: 'string', default: '200000' },
      workers: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      'nats-server': { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    records: wholeNumber('--records', values.records, 1, 200_000),
    workers: wholeNumber('--workers', values.workers, 2, 64),
    json: values.json,
    natsServer: values['nats-server'],
  };
}

function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(`${flag} takes a whole number from ${min} to ${max}, not "${text}".`);
}
