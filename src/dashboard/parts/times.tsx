import type { VNode } from 'preact';
import { absolute, duration } from '../format.ts';
import { useNow } from '../stream.ts';

/** How long ago, with the time itself in the title. */
export function Ago({ ms }: { readonly ms: number | null }): VNode {
  const now = useNow();
  if (ms === null) return <>–</>;
  return <time title={absolute(ms)}>{duration(Math.max(0, now - ms))} ago</time>;
}

/** A duration; a dash for none. */
export function For({ ms }: { readonly ms: number | null | undefined }): VNode {
  return <>{ms === null || ms === undefined ? '–' : duration(ms)}</>;
}
