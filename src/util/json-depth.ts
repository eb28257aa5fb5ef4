/**
 * Whether arrays and objects of a JSON text are nested deeper than `max` levels. It looks no further than
 * that, so that a text of brackets alone costs little. Strings are skipped by a native search for their end,
 * because most bytes of a request with a message are in one string. For text that is not JSON the answer
 * means nothing.
 */
export function nestsDeeper(text: Uint8Array, max: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at];
    if (byte === 0x22) at = endOfString(text, at + 1);
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > max) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return false;
}

/** The position of the quotation mark that ends the string; the length of the text if none does. */
function endOfString(text: Uint8Array, from: number): number {
  for (let at = text.indexOf(0x22, from); at >= 0; at = text.indexOf(0x22, at + 1)) {
    let backslashes = 0;
    while (at - backslashes > from && text[at - backslashes - 1] === 0x5c) backslashes++;
    // An odd number: the last backslash escapes the mark. The run before a mark ends at the mark before it,
    // so that each byte is looked at once.
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}
