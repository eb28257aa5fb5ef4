/**
 * Whether SQS accepts the text as a message: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to
 * #x10FFFF, the characters of XML 1.0. Lone surrogates are none of them.
 */
export function isMessageText(text: string): boolean {
  return !forbidden.test(text);
}

// Allowed are all but these; `u` makes pairs of surrogates one character.
// oxlint-disable-next-line no-control-regex
const forbidden = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uD800-\uDFFF\uFFFE\uFFFF]/u;
