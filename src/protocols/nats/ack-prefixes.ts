const dot = 46;
/** `$JS.ACK.<stream>.<consumer>`. */
const prefixTokens = 4;
const prefixesMax = 8;

/**
 * The beginnings of ack subjects, up to the name of the consumer, below which a client may publish. Subjects
 * of acks never repeat, but their beginnings come in runs: so an ack costs a comparison of bytes instead of
 * its subject as text and a look at each rule.
 */
export class AckPrefixes {
  readonly #prefixes: Buffer[] = [];
  #next = 0;

  /** Whether rules with these patterns decide all subjects with one such beginning alike. */
  static suffices(patterns: readonly string[]): boolean {
    return patterns.every((pattern) => {
      const tokens = pattern.split('.');
      const rest = tokens.indexOf('>');
      return rest >= 0 ? rest <= prefixTokens : tokens.length <= prefixTokens;
    });
  }

  covers(buffer: Uint8Array, start: number, end: number): boolean {
    for (const prefix of this.#prefixes) if (begins(prefix, buffer, start, end)) return true;
    return false;
  }

  /** Adds the beginning of a subject, in the place of the oldest if there are many. */
  add(subject: string): void {
    let end = -1;
    for (let token = 0; token < prefixTokens; token++) {
      end = subject.indexOf('.', end + 1);
      if (end < 0) return;
    }
    this.#prefixes[this.#next] = Buffer.from(subject.slice(0, end + 1));
    this.#next = (this.#next + 1) % prefixesMax;
  }
}

/** Compares from the end, where prefixes differ, and takes no subject that goes no further. */
function begins(prefix: Buffer, buffer: Uint8Array, start: number, end: number): boolean {
  let at = prefix.length - 1;
  if (start + prefix.length >= end || buffer[start + at] !== dot) return false;
  while (at >= 0 && buffer[start + at] === prefix[at]) at--;
  return at < 0;
}
