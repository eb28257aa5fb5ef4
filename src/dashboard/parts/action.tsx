import type { ComponentChildren, VNode } from 'preact';
import { useState } from 'preact/hooks';
import { Confirm, type Confirmation } from './dialog.tsx';

/** A button that opens a dialog. */
export function Action(props: {
  readonly name: string;
  readonly isDangerous?: boolean;
  readonly isDisabled?: boolean;
  readonly dialog: (close: () => void) => ComponentChildren;
}): VNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        class={props.isDangerous === true ? 'danger' : ''}
        disabled={props.isDisabled === true}
        onClick={() => setOpen(true)}
      >
        {props.name}…
      </button>
      {isOpen && props.dialog(() => setOpen(false))}
    </>
  );
}

/** A button that changes something after it has asked. */
export function ConfirmAction({
  name,
  isDangerous = false,
  ...confirmation
}: Confirmation & { readonly name: string; readonly isDangerous?: boolean }): VNode {
  return (
    <Action
      name={name}
      isDangerous={isDangerous}
      dialog={(close) => <Confirm {...confirmation} onClose={close} />}
    />
  );
}
