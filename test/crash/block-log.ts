import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Random } from '../../src/util/index.ts';
import { nowNs } from './event-log.ts';

/**
 * A request to the disk, in order. The time is that of the request; requests of earlier turns had been
 * answered.
 */
export type BlockEvent =
  | {
      readonly kind: 'write';
      readonly ns: number;
      readonly turn: number;
      readonly position: number;
      readonly data: Buffer;
      readonly fua: boolean;
    }
  | { readonly kind: 'flush'; readonly ns: number; readonly turn: number };

const headerBytes = 29;
const kinds = { write: 0, writeFua: 1, flush: 2 } as const;

/** `ns f64, turn u32, kind u8, position f64, length u32, unused u32`, then the data. */
export class BlockLogWriter {
  readonly #descriptor: number;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'w');
  }

  write(turn: number, position: number, data: Buffer, fua: boolean): void {
    this.#append(turn, fua ? kinds.writeFua : kinds.write, position, data.length);
    writeSync(this.#descriptor, data);
  }

  flush(turn: number): void {
    this.#append(turn, kinds.flush, 0, 0);
  }

  #append(turn: number, kind: number, position: number, length: number): void {
    const header = Buffer.alloc(headerBytes);
    header.writeDoubleBE(nowNs(), 0);
    header.writeUInt32BE(turn, 8);
    header.writeUInt8(kind, 12);
    header.writeDoubleBE(position, 13);
    header.writeUInt32BE(length, 21);
    writeSync(this.#descriptor, header);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

export function readBlockLog(path: string): BlockEvent[] {
  const bytes = readFileSync(path);
  const events: BlockEvent[] = [];
  for (let at = 0; at + headerBytes <= bytes.length;) {
    const ns = bytes.readDoubleBE(at);
    const turn = bytes.readUInt32BE(at + 8);
    const kind = bytes.readUInt8(at + 12);
    const position = bytes.readDoubleBE(at + 13);
    const length = bytes.readUInt32BE(at + 21);
    at += headerBytes;
    if (at + length > bytes.length) break;
    if (kind === kinds.flush) events.push({ kind: 'flush', ns, turn });
    else {
      const data = bytes.subarray(at, at + length);
      events.push({ kind: 'write', ns, turn, position, data, fua: kind === kinds.writeFua });
    }
    at += length;
  }
  return events;
}

const sectorBytes = 512;

/** The fate of writes that no flush has covered. */
export type Fate = 'all kept' | 'all lost' | 'any' | 'torn';

/**
 * A disk image replays a log of writes: it holds the data that is certainly durable after some of its events,
 * and makes images of what a power loss at that point could leave.
 */
export class DiskImage {
  readonly #events: readonly BlockEvent[];
  /** All writes that a flush covers, in order. */
  readonly #durable: Buffer;
  /** Writes since, in order. */
  #pending: (BlockEvent & { kind: 'write' })[] = [];
  #next = 0;

  constructor(base: Buffer, events: readonly BlockEvent[]) {
    this.#durable = Buffer.from(base);
    this.#events = events;
  }

  get pending(): number {
    return this.#pending.length;
  }

  /** Goes on until event `index` has happened. */
  advance(index: number): void {
    for (; this.#next <= index; this.#next++) {
      const event = this.#events[this.#next];
      if (event === undefined) return;
      if (event.kind === 'write') {
        if (event.fua) event.data.copy(this.#durable, event.position);
        this.#pending.push(event);
        continue;
      }
      const left: (BlockEvent & { kind: 'write' })[] = [];
      for (const write of this.#pending) {
        // A write of the same turn had not been answered when the flush was asked for: it is not covered.
        if (write.turn >= event.turn) left.push(write);
        else write.data.copy(this.#durable, write.position);
      }
      this.#pending = left;
    }
  }

  /**
   * A possible content after a power loss: everything durable, and of the rest what `fate` and chance leave,
   * torn by sectors.
   */
  afterPowerLoss(fate: Fate, random: Random): Buffer {
    const image = Buffer.from(this.#durable);
    if (fate === 'all lost') return image;
    for (const { data, position } of this.#pending) {
      if (fate === 'all kept' || (fate === 'any' && random.next() < 0.5)) data.copy(image, position);
      if (fate !== 'torn') continue;
      for (let at = 0; at < data.length; at += sectorBytes)
        if (random.next() < 0.5) data.copy(image, position + at, at, Math.min(at + sectorBytes, data.length));
    }
    return image;
  }
}
