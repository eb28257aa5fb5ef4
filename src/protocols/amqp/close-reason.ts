/** The reason for the end of a connection, for logs. */
export type CloseReason =
  | { readonly kind: 'client' }
  | { readonly kind: 'error'; readonly text: string; readonly cause?: unknown }
  | { readonly kind: 'socket'; readonly cause: Error }
  | { readonly kind: 'silent' }
  | { readonly kind: 'slow-consumer'; readonly pendingBytes: number }
  | { readonly kind: 'kicked' }
  | { readonly kind: 'stopping' };
