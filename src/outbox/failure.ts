/**
 * What a failed publish says: `message`, this message will fail again; `target`, nothing can be published
 * there now; `unknown`, it may be either.
 */
export type FailureKind = 'message' | 'target' | 'unknown';

/** Refusals of a message for what it is. */
const ofMessage = new Set([
  'message-too-large',
  'message-invalid',
  'value-invalid',
  'option-invalid',
  'not-allowed',
  'delay-not-supported',
]);

/** Refusals that pass, and lost connections: codes of the broker, and of Node. */
const ofTarget =
  /^(topic-(bytes-)?full|key-full|rate-exceeded|limit-reached|storage-full|memory-full|storage-failed|closed|disconnected|connection-.*|.*timeout|E[A-Z]+|TIMEOUT|CONNECTION.*|503)$/;

export function failureKind(error: unknown): FailureKind {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  if (typeof code === 'string' && ofMessage.has(code)) return 'message';
  if (name === 'TimeoutError' || name === 'AbortError') return 'target';
  return ofTarget.test(String(code)) ? 'target' : 'unknown';
}

/** The text of an error that is kept with its row. */
export function causeOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll('\0', '').slice(0, 500);
}
