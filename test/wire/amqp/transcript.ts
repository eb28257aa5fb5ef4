import {
  FrameParser,
  methodOf,
  readArguments,
  readContentHeader,
  Reader,
  readProperties,
  type FrameSink,
} from '../../../src/wire/amqp/index.ts';

/**
 * The input of a parser as lines: one per frame; the pieces of a body that follow each other are one line.
 */
export class Transcript implements FrameSink {
  readonly lines: string[] = [];
  #bodyOf = -1;

  begun(): void {
    this.#add('begun');
  }

  method(channel: number, buffer: Buffer, start: number, end: number): void {
    const reader = new Reader(buffer, start, end);
    const [classId, methodId] = [reader.u16(), reader.u16()];
    const method = methodOf(classId, methodId);
    if (!method) return this.#add(`${channel} unknown ${classId} ${methodId}`);
    this.#add(`${channel} ${method.name} ${shown(readArguments(method, reader))}`);
  }

  header(channel: number, buffer: Buffer, start: number, end: number): void {
    const { classId, bodyBytes, properties } = readContentHeader(buffer, start, end);
    this.#add(`${channel} header ${classId} ${bodyBytes} ${shown(readProperties(properties))}`);
  }

  body(channel: number, buffer: Buffer, start: number, end: number): void {
    const text = buffer.toString('latin1', start, end);
    if (this.#bodyOf === channel) this.lines[this.lines.length - 1] += text;
    else this.#add(`${channel} body ${text}`);
    this.#bodyOf = channel;
  }

  heartbeat(channel: number): void {
    this.#add(`${channel} heartbeat`);
  }

  #add(line: string): void {
    this.lines.push(line);
    this.#bodyOf = -1;
  }
}

export const frameBytesMax = 131_072;

/** The transcript of chunks. */
export function read(...chunks: readonly Buffer[]): string[] {
  const transcript = new Transcript();
  const parser = new FrameParser(transcript, frameBytesMax);
  for (const chunk of chunks) parser.parse(chunk);
  return transcript.lines;
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof Map) return Object.fromEntries(part);
    if (typeof part === 'bigint') return `${part}n`;
    return part instanceof Uint8Array ? Buffer.from(part).toString('latin1') : part;
  });
}
