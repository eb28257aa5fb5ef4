// Figures as the sentences of alarms and findings show them.

/** `84,201`. */
export function countText(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** `1 message`, `3 messages`. */
export function messagesText(count: number): string {
  return `${countText(count)} ${Math.round(count) === 1 ? 'message' : 'messages'}`;
}

/** `1 message waits`, `3 messages wait`. */
export function waitingText(count: number): string {
  return `${messagesText(count)} ${Math.round(count) === 1 ? 'waits' : 'wait'}`;
}

/** A rate: `1,200/s`, `0.4/s`. */
export function rateText(perSecond: number): string {
  return `${perSecond > 0 && perSecond < 10 ? Number(perSecond.toFixed(1)) : countText(perSecond)}/s`;
}

/** A time to the minute: 2026-12-01 14:56 UTC. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The two largest units: `0.4 s`, `42 s`, `38 min`, `2 h 5 min`, `3 d 4 h`. */
export function spanText(ms: number): string {
  if (ms < 10_000) return `${Number((ms / 1000).toFixed(1))} s`;
  const minutes = Math.round(ms / 60_000);
  if (ms < 90_000) return `${Math.round(ms / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return both(hours, 'h', minutes % 60, 'min');
  return both(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function both(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** `61 %`. */
export function shareText(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** `1.5 GiB`. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [rest, unit] = [bytes, 0];
  while (rest >= 1024 && unit < units.length - 1) {
    rest /= 1024;
    unit++;
  }
  return `${unit === 0 ? countText(rest) : rest.toFixed(rest < 10 ? 1 : 0)} ${units[unit]}`;
}
