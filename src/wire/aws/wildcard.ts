/**
 * A pattern of AWS: `*` is any text and `?` any character. In a plain one, as filter policies have it, `?` is
 * itself, and a backslash makes a star a star. It is read once. A match looks for
 * the texts between stars from left to right, and never goes back before one that was found, so that it costs
 * the length of the text times that of the longest part at most.
 */
export class Wildcard {
  readonly #parts: readonly string[];
  readonly #hasAny: boolean;

  constructor(pattern: string, { isPlain = false }: { readonly isPlain?: boolean } = {}) {
    this.#parts = isPlain ? splitPlain(pattern) : pattern.split(/\*+/);
    this.#hasAny = !isPlain && pattern.includes('?');
  }

  matches(text: string): boolean {
    const parts = this.#parts;
    const first = parts[0]!;
    if (parts.length === 1) return text.length === first.length && this.#isAt(first, text, 0);
    const last = parts.at(-1)!;
    if (text.length < first.length + last.length || !this.#isAt(first, text, 0)) return false;
    const end = text.length - last.length;
    if (!this.#isAt(last, text, end)) return false;
    let at = first.length;
    for (let index = 1; index < parts.length - 1; index++) {
      const found = this.#find(parts[index]!, text, at);
      if (found < 0 || found + parts[index]!.length > end) return false;
      at = found + parts[index]!.length;
    }
    return at <= end;
  }

  #find(part: string, text: string, from: number): number {
    if (!this.#hasAny || !part.includes('?')) return text.indexOf(part, from);
    for (let at = from; at + part.length <= text.length; at++) if (this.#isAt(part, text, at)) return at;
    return -1;
  }

  #isAt(part: string, text: string, at: number): boolean {
    if (!this.#hasAny) return text.startsWith(part, at);
    for (let index = 0; index < part.length; index++)
      if (part[index] !== '?' && part[index] !== text[at + index]) return false;
    return true;
  }
}

/** The texts between stars; `\\*` is a star, and `\\\\` a backslash. */
function splitPlain(pattern: string): string[] {
  const parts = [''];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!;
    if (character === '*') parts.push('');
    else
      parts[parts.length - 1] += character === '\\' && at + 1 < pattern.length ? pattern[++at]! : character;
  }
  return parts;
}
