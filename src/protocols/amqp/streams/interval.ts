/** The units of an interval, in milliseconds. */
const units: { readonly [unit: string]: number } = {
  Y: 365 * 24 * 3_600_000,
  M: 30 * 24 * 3_600_000,
  D: 24 * 3_600_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
};

/** The milliseconds of an interval as RabbitMQ writes it, `7D`; undefined if it is none. */
export function intervalMs(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,9})([YMDhms])$/.exec(text) ?? [];
  const ms = count === undefined ? 0 : Number(count) * units[unit!]!;
  return ms > 0 ? ms : undefined;
}
