import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { sentence } from '../api.ts';

/** A dialog in front of the page. Escape closes it. */
export function Dialog(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly isWide?: boolean;
  readonly children: ComponentChildren;
}): VNode {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={`stack${props.isWide === true ? ' wide' : ''}`}
      aria-label={props.title}
      onClose={props.onClose}
    >
      <h2>{props.title}</h2>
      {props.children}
    </dialog>
  );
}

/** What is asked before something is changed. */
export interface Confirmation {
  readonly title: string;
  readonly action: string;
  /** A text that has to be typed first: for what cannot be undone. */
  readonly typed?: string;
  readonly isDisabled?: boolean;
  readonly isWide?: boolean;
  readonly children: ComponentChildren;
  /** Resolves when it is done; rejects with what went wrong, which is shown. */
  readonly act: () => Promise<unknown>;
}

/** Asks before something is changed. */
export function Confirm(props: Confirmation & { readonly onClose: () => void }): VNode {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const { typed, action, act, onClose } = props;
  const isReady = (typed === undefined || text === typed) && !isBusy && props.isDisabled !== true;
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!isReady) return;
    setBusy(true);
    act().then(onClose, (error: unknown) => {
      setProblem(sentence(error));
      setBusy(false);
    });
  };
  return (
    <Dialog title={props.title} onClose={onClose} {...(props.isWide === true ? { isWide: true } : {})}>
      <form class="stack" onSubmit={submit}>
        {props.children}
        {typed !== undefined && (
          <p>
            <label for="typed">
              Type <strong>{typed}</strong> to confirm
            </label>{' '}
            <input
              id="typed"
              autocomplete="off"
              value={text}
              onInput={({ currentTarget }) => setText(currentTarget.value)}
            />
          </p>
        )}
        {problem !== '' && (
          <p class="error" role="alert">
            {problem}
          </p>
        )}
        <div class="row end">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class={typed === undefined ? 'primary' : 'danger'} disabled={!isReady}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
