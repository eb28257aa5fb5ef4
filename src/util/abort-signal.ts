/**
 * The platform's AbortSignal. In a program without the types of Node or of a browser, it is the part of it
 * that this package uses. The published declarations name it in place of the global (build/declarations.ts).
 */
export type AbortSignal = typeof globalThis extends { AbortSignal: { prototype: infer Signal } }
  ? Signal
  : BareAbortSignal;

export interface BareAbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}
