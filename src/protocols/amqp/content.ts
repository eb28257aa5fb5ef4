import { noHeaders, Record, type Header } from '../../broker/index.ts';
import type { PublishTarget } from './publish-target.ts';
import { storedHeaders } from './message.ts';

const noBytes = Buffer.alloc(0);

/**
 * A content collects the parts of one message of a channel: the target of basic.publish, the properties, the
 * body. A body that is in one chunk with its method is not copied; any other is collected in a buffer that
 * grows with the bytes received.
 */
export class Content {
  /** Filled for the publish; the broker copies it at once. */
  readonly record: Record = new Record();
  #target: PublishTarget | undefined = undefined;
  /** The buffer that the method was read from, and where the routing key is in it. */
  #methodBuffer: Buffer = noBytes;
  #keyStart = 0;
  #properties: Buffer = noBytes;
  #bodyBytes = -1;
  #received = 0;
  /** Routing key and body, if the body came in pieces. */
  #collected: Buffer = noBytes;
  #ownsProperties = false;
  #lastExchange: string | undefined = undefined;
  #lastProperties: Buffer = noBytes;
  #lastHeaders: readonly Header[] = noHeaders;

  /** The target of the publish whose content is being received; undefined: none. */
  get target(): PublishTarget | undefined {
    return this.#target;
  }

  get awaitsHeader(): boolean {
    return this.#bodyBytes < 0;
  }

  get isComplete(): boolean {
    return this.#received === this.#bodyBytes;
  }

  get properties(): Buffer {
    return this.#properties;
  }

  get bodyBytes(): number {
    return this.#bodyBytes;
  }

  /** Begins with a basic.publish. `keyStart` is the position of its routing key in `buffer`. */
  begin(target: PublishTarget, buffer: Buffer, keyStart: number): void {
    this.#target = target;
    this.#methodBuffer = buffer;
    this.#keyStart = keyStart;
    this.#bodyBytes = -1;
  }

  /** Takes the content header. `properties` are a view, which {@link keep} copies. */
  header(bodyBytes: number, properties: Buffer): void {
    this.#bodyBytes = bodyBytes;
    this.#received = 0;
    this.#properties = properties;
    this.#ownsProperties = false;
    if (bodyBytes === 0) this.#fill(noBytes, 0, 0);
  }

  /** Takes a piece of the body. False if the body is longer than its header says. */
  piece(buffer: Buffer, start: number, end: number): boolean {
    const bytes = end - start;
    if (this.#received + bytes > this.#bodyBytes) return false;
    if (bytes === this.#bodyBytes) this.#fill(buffer, start, end);
    else this.#collect(buffer, start, end);
    this.#received += bytes;
    if (this.isComplete && bytes !== this.#bodyBytes) {
      const keyBytes = this.#target!.key.length;
      this.#place(this.#collected, 0, keyBytes, keyBytes + this.#bodyBytes);
    }
    return true;
  }

  /** Copies what is a view of the chunk, because the chunk ends. */
  keep(): void {
    if (this.#target === undefined) return;
    this.#methodBuffer = noBytes;
    if (this.#ownsProperties || this.#bodyBytes < 0) return;
    this.#properties = Buffer.from(this.#properties);
    this.#ownsProperties = true;
  }

  /** Copies a complete content, which has to wait for its publish. */
  keepAll(): void {
    this.keep();
    const { buffer, keyStart, keyEnd, valueStart, valueEnd } = this.record;
    const key = keyStart < 0 ? noBytes : buffer.subarray(keyStart, keyEnd);
    const copy = Buffer.concat([key, buffer.subarray(valueStart, valueEnd)]);
    this.#place(copy, keyStart < 0 ? -1 : 0, key.length, copy.length);
  }

  /** Takes other properties for a complete content. `properties` are kept, not copied. */
  rewrite(properties: Buffer): void {
    this.#properties = properties;
    this.#ownsProperties = true;
    this.record.headers = this.#headersOf(this.#target!.exchange);
  }

  /** Forgets the content: it was published, or its channel ends. */
  clear(): void {
    this.#target = undefined;
    this.#methodBuffer = noBytes;
    this.#properties = noBytes;
    this.#collected = noBytes;
    this.#bodyBytes = -1;
    const { record } = this;
    record.buffer = noBytes;
    record.timestampMs = 0;
  }

  #fill(buffer: Buffer, start: number, end: number): void {
    const { key } = this.#target!;
    if (key.length === 0) return this.#place(buffer, -1, start, end);
    if (buffer === this.#methodBuffer) return this.#place(buffer, this.#keyStart, start, end);
    this.#place(Buffer.concat([key, buffer.subarray(start, end)]), 0, key.length, key.length + end - start);
  }

  #collect(buffer: Buffer, start: number, end: number): void {
    const { key } = this.#target!;
    const used = key.length + this.#received;
    const needed = used + end - start;
    if (needed > this.#collected.length) {
      const wanted = Math.min(key.length + this.#bodyBytes, Math.max(needed, this.#collected.length * 2));
      const grown = Buffer.allocUnsafeSlow(wanted);
      if (this.#received === 0) key.copy(grown);
      else this.#collected.copy(grown, 0, 0, used);
      this.#collected = grown;
    }
    buffer.copy(this.#collected, used, start, end);
  }

  /** `keyStart` is -1 for a message without a key. */
  #place(buffer: Buffer, keyStart: number, valueStart: number, valueEnd: number): void {
    const { key, exchange } = this.#target!;
    const { record } = this;
    const hasKey = keyStart >= 0 && key.length > 0;
    record.buffer = buffer;
    record.keyStart = hasKey ? keyStart : -1;
    record.keyEnd = hasKey ? keyStart + key.length : -1;
    record.valueStart = valueStart;
    record.valueEnd = valueEnd;
    record.timestampMs = 0;
    record.headers = this.#headersOf(exchange);
  }

  /** Publishers mostly send the same properties again and again. */
  #headersOf(exchange: string): readonly Header[] {
    if (exchange === this.#lastExchange && this.#properties.equals(this.#lastProperties))
      return this.#lastHeaders;
    this.#lastProperties = Buffer.from(this.#properties);
    this.#lastExchange = exchange;
    this.#lastHeaders = storedHeaders(exchange, this.#lastProperties);
    return this.#lastHeaders;
  }
}
