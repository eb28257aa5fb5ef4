import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

/**
 * An event seen by a client of the broker, in order. A client writes an event to its own file before the
 * action (`intent`, `acking`) or after it (the others), so that the files know all promises when the broker
 * is gone. Times are nanoseconds of the machine's monotonic clock, which all processes share.
 */
export type Event =
  | { readonly kind: 'connected'; readonly ns: number }
  | {
      readonly kind: 'intent';
      readonly ns: number;
      readonly stream: string;
      readonly id: string;
      readonly subject: string;
      readonly hash: string;
    }
  | {
      readonly kind: 'stored';
      readonly ns: number;
      readonly stream: string;
      readonly id: string;
      readonly seq: number;
    }
  | { readonly kind: 'refused'; readonly ns: number; readonly stream: string; readonly id: string }
  | {
      readonly kind: 'delivered';
      readonly ns: number;
      readonly stream: string;
      readonly seq: number;
      readonly id: string;
      readonly subject: string;
      readonly hash: string;
    }
  | { readonly kind: 'acking'; readonly ns: number; readonly stream: string; readonly seq: number }
  | { readonly kind: 'acked'; readonly ns: number; readonly stream: string; readonly seq: number };

type WithoutTime<E> = E extends Event ? Omit<E, 'ns'> : never;

/** Now, as events have it. A double holds 104 days of nanoseconds. */
export function nowNs(): number {
  return Number(process.hrtime.bigint());
}

/** Writes events to a file, each by one system call: they survive the death of this process. */
export class EventWriter {
  readonly #descriptor: number;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'a');
  }

  write(event: WithoutTime<Event>): void {
    const ns = nowNs();
    writeSync(this.#descriptor, `${ns} ${event.kind} ${fieldsOf(event)}\n`);
  }
}

function fieldsOf(event: WithoutTime<Event>): string {
  switch (event.kind) {
    case 'intent':
      return `${event.stream} ${event.id} ${event.subject} ${event.hash}`;
    case 'stored':
      return `${event.stream} ${event.id} ${event.seq}`;
    case 'refused':
      return `${event.stream} ${event.id}`;
    case 'delivered':
      return `${event.stream} ${event.seq} ${event.id} ${event.subject} ${event.hash}`;
    case 'acking':
    case 'acked':
      return `${event.stream} ${event.seq}`;
    default:
      return '';
  }
}

export function parseEvent(line: string): Event {
  const [time, kind, stream = '', a = '', b = '', c = '', d = ''] = line.split(' ');
  const ns = Number(time);
  switch (kind) {
    case 'connected':
      return { kind, ns };
    case 'intent':
      return { kind, ns, stream, id: a, subject: b, hash: c };
    case 'stored':
      return { kind, ns, stream, id: a, seq: Number(b) };
    case 'refused':
      return { kind, ns, stream, id: a };
    case 'delivered':
      return { kind, ns, stream, seq: Number(a), id: b, subject: c, hash: d };
    case 'acking':
    case 'acked':
      return { kind, ns, stream, seq: Number(a) };
    default:
      throw new Error(`no event: ${JSON.stringify(line)}`);
  }
}

/**
 * Reads the events that were added to a file since the last look. A line that is not finished yet waits for
 * the next look.
 */
export class EventReader {
  readonly #path: string;
  #descriptor: number | undefined;
  #position = 0;

  constructor(path: string) {
    this.#path = path;
  }

  read(): Event[] {
    this.#descriptor ??= openSync(this.#path, 'a+');
    const bytes = Buffer.allocUnsafe(fstatSync(this.#descriptor).size - this.#position);
    const count = readSync(this.#descriptor, bytes, 0, bytes.length, this.#position);
    const end = bytes.subarray(0, count).lastIndexOf(10) + 1;
    if (end === 0) return [];
    this.#position += end;
    return bytes
      .toString('latin1', 0, end - 1)
      .split('\n')
      .map(parseEvent);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
