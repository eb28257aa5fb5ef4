/** Numbers for people. Undefined shows as `-`. */

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `1.5 MiB`. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined) return '-';
  let unit = 0;
  let rest = bytes;
  while (rest >= 1024 && unit < byteUnits.length - 1) {
    rest /= 1024;
    unit++;
  }
  return `${unit === 0 ? rest : rest.toFixed(rest < 10 ? 1 : 0)} ${byteUnits[unit]}`;
}

/** `12,345`. */
export function formatCount(count: number | undefined): string {
  return count === undefined ? '-' : Math.round(count).toLocaleString('en-US');
}

/** `1 message`, `2,000 messages`. */
export function formatMessages(count: number): string {
  return `${formatCount(count)} message${count === 1 ? '' : 's'}`;
}

/** Per second: `0`, `3.4`, `12,345`. */
export function formatRate(perSecond: number | undefined): string {
  if (perSecond === undefined) return '-';
  return perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond);
}

/** The two largest units: `850ms`, `42s`, `3m 5s`, `2d 4h`. */
export function formatDuration(ms: number | undefined): string {
  if (ms === undefined) return '-';
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const seconds = Math.floor(ms / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}

/** `42s`, `3m`, `2h`, `7d`, `500ms` as milliseconds; undefined if the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text) ?? [];
  const factors: { readonly [unit: string]: number } = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
  return digits === undefined || unit === undefined ? undefined : Number(digits) * (factors[unit] ?? 0);
}

/** `10000`, `64KiB`, `10GB` as bytes; undefined if the text is not a size. */
export function parseBytes(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,15})\s*([kmgt]i?b|b)?$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const [scale, binary] = (unit ?? 'b').toLowerCase();
  const power = ' kmgt'.indexOf(scale === 'b' ? ' ' : (scale ?? ' '));
  return Number(digits) * (binary === 'i' ? 1024 : 1000) ** power;
}
