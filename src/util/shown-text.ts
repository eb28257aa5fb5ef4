/**
 * Makes text from clients safe to show: topic, group and client names, keys, error messages. Characters that
 * a terminal or a log viewer obeys instead of showing are escaped: the C0 and C1 controls (ESC, OSC, CR,
 * newlines), the marks that reverse or isolate the direction of text (Unicode TR 36, "bidirectional text
 * spoofing"), line and paragraph separators, invisible characters, and lone surrogates. A backslash stays as
 * it is: the result is for people and is never parsed.
 */
export function shownText(text: string): string {
  return unsafe.test(text) ? text.replace(unsafeAll, escaped) : text;
}

// Cc: controls. Cs: lone surrogates. Zl, Zp: line separators. The others are format characters (Cf) that
// move, hide or join the text around them. Format characters that scripts need stay (the zero-width joiners
// of Arabic, Indic and emoji).
const characters = String.raw`[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u00AD\u061C\u180E\u200B\u200E\u200F\u202A-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]`;
const unsafe = new RegExp(characters, 'u');
const unsafeAll = new RegExp(characters, 'gu');

const short: { readonly [character: string]: string } = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  if (short[character] !== undefined) return short[character];
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/**
 * A value as JSON for a terminal, a log or a program. Characters that {@link shownText} would escape become
 * JSON `\\u` escapes, so that the value survives parsing. JSON itself escapes only the C0 controls.
 */
export function shownJson(value: unknown): string {
  return shownJsonText(JSON.stringify(value));
}

/** {@link shownJson} for a value that is JSON text on one line already. */
export function shownJsonText(json: string): string {
  return unsafe.test(json) ? json.replace(unsafeAll, jsonEscaped) : json;
}

function jsonEscaped(character: string): string {
  let escapes = '';
  for (let i = 0; i < character.length; i++)
    escapes += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return escapes;
}
