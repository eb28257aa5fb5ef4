/** Characters of a piece. */
const pieceCharacters = 32 * 1024;

/**
 * Writes an object as JSON, in pieces. Lists that are its members are written entry by entry, so that a large
 * answer is never one string. The text is the same as that of `JSON.stringify`.
 */
export function* jsonPieces(object: object): Generator<string> {
  if (Array.isArray(object) || 'toJSON' in object) {
    yield JSON.stringify(object);
    return;
  }
  let text = '{';
  let separator = '';
  for (const [name, value] of Object.entries(object) as [string, unknown][]) {
    if (!Array.isArray(value)) {
      const written = JSON.stringify(value) as string | undefined;
      if (written === undefined) continue; // JSON.stringify omits it, too
      text += `${separator}${JSON.stringify(name)}:${written}`;
    } else {
      text += `${separator}${JSON.stringify(name)}:[`;
      for (const [at, entry] of value.entries()) {
        text += `${at === 0 ? '' : ','}${(JSON.stringify(entry) as string | undefined) ?? 'null'}`;
        if (text.length < pieceCharacters) continue;
        yield text;
        text = '';
      }
      text += ']';
    }
    separator = ',';
  }
  yield `${text}}`;
}
