// Figures and times as text. Nothing here needs a browser, so that tests can import it.

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

/** `84,201`; from ten million on `12.3 M`, so that columns stay narrow. */
export function count(value: number): string {
  if (value < 10_000_000) return whole.format(value);
  if (value < 10_000_000_000) return `${tenth.format(value / 1e6)} M`;
  return `${tenth.format(value / 1e9)} G`;
}

/** Messages per second: `1,500/s`, `0.3/s`, `0/s`. */
export function rate(perSecond: number): string {
  if (perSecond > 0 && perSecond < 0.05) return '<0.1/s';
  return `${perSecond < 10 ? tenth.format(perSecond) : count(perSecond)}/s`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1.5 MiB`. */
export function bytes(value: number): string {
  let size = value;
  let at = 0;
  while (size >= 1024 && at < units.length - 1) {
    size /= 1024;
    at++;
  }
  return `${size < 10 && at > 0 ? tenth.format(size) : whole.format(size)} ${units[at]}`;
}

/** A duration in words of one unit: `38 min`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${ms < 10 && ms > 0 ? tenth.format(ms) : whole.format(ms)} ms`;
  if (ms < 90_000) return `${whole.format(ms / 1000)} s`;
  if (ms < 90 * 60_000) return `${whole.format(ms / 60_000)} min`;
  if (ms < 36 * 3_600_000) return `${whole.format(ms / 3_600_000)} h`;
  return `${whole.format(ms / 86_400_000)} days`;
}

/** The time of the day, and the date unless it is today. */
export function clock(ms: number, nowMs: number): string {
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return String(ms);
  const day = dayOf(at);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return day === dayOf(new Date(nowMs)) ? time : `${day} ${time}`;
}

/** The full date and time with the zone, for titles. */
export function absolute(ms: number): string {
  const at = new Date(ms);
  return Number.isNaN(at.getTime()) ? String(ms) : `${clock(ms, 0)} ${zone(at)}`;
}

/** The zone of the browser's clock: `UTC+2`. */
export function zone(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes > 0 ? '+' : '−'}${hours}${rest === 0 ? '' : `:${two(rest)}`}`;
}

function dayOf(at: Date): string {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** `1 message`, `2 messages`. */
export function counted(value: number, noun: string, plural: string = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}
