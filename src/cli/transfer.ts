/** A line of a file, without its end. */
export interface Line {
  readonly text: string;
  /** False for a last line without an end: it may have been cut. */
  readonly isWhole: boolean;
  /** With its end. */
  readonly bytes: number;
}

/** A line of JSON takes at most so much: 64 MiB in base64, and more. */
const lineBytesMax = 128 * 2 ** 20;

/** The lines of a stream of bytes, one after the other: no more than one of them is in memory. */
export async function* linesOf(input: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  let bytes = 0;
  const line = (isWhole: boolean): Line => {
    const whole = Buffer.concat(parts);
    const text = whole.toString('utf8', 0, isWhole ? whole.length - 1 : whole.length);
    const taken: Line = { text, isWhole, bytes };
    parts = [];
    bytes = 0;
    return taken;
  };
  for await (const chunk of input) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end + 1));
      bytes += end + 1 - from;
      yield line(true);
      from = end + 1;
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
    bytes += chunk.length - from;
    if (bytes > lineBytesMax) throw new Error(`A line has more than ${lineBytesMax} bytes.`);
  }
  if (bytes > 0) yield line(false);
}
