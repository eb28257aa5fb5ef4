/**
 * The AbortSignal of the platform, or what is used of it where a program's types have none: neither those of
 * Node nor those of a browser. The published declarations name it in place of the global
 * (build/declarations.ts).
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
