import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { Dialog } from './dialog.tsx';

/** Copies a command. Where the browser does not let it (without https, on another machine), it is shown. */
export function Copy({ name, text }: { readonly name: string; readonly text: string }): VNode {
  const [state, setState] = useState<'idle' | 'copied' | 'shown'>('idle');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setState('copied');
      setTimeout(() => setState('idle'), 2000);
    } catch {
      setState('shown');
    }
  };
  return (
    <>
      <button type="button" onClick={() => void copy()}>
        {state === 'copied' ? 'Copied' : `Copy as ${name}`}
      </button>
      {state === 'shown' && (
        <Dialog title={`As ${name}`} onClose={() => setState('idle')}>
          <pre>{text}</pre>
          <div class="row end">
            <button type="button" onClick={() => setState('idle')}>
              Close
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
