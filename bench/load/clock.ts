/** Milliseconds of the system-wide monotonic clock, comparable between processes of one machine. */
export function nowMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
