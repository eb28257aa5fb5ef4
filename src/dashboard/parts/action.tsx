import type { ComponentChildren, VNode } from 'preact';
import { useState } from 'preact/hooks';

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
