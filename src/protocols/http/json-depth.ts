/**
 * Whether arrays and objects of a JSON text are nested deeper than `max` levels. It looks no further than that,
 * so that a text of brackets alone costs little. For text that is not JSON the answer means nothing.
 */
export function nestsDeeper(text: Uint8Array, max: number): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at];
    if (isInString) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) isInString = false;
    } else if (byte === 0x22) isInString = true;
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > max) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return false;
}
