import type { ComponentChildren, VNode } from 'preact';

/** A table that scrolls by itself where it is too wide. `heads` are titles, or whole cells. */
export function Table(props: {
  readonly label: string;
  readonly heads: readonly (string | VNode)[];
  readonly isNarrow?: boolean;
  /** The rows. */
  readonly children: ComponentChildren;
}): VNode {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={props.label}>
      <table class={props.isNarrow === true ? 'narrow' : ''}>
        <thead>
          <tr>{props.heads.map((head) => (typeof head === 'string' ? <th key={head}>{head}</th> : head))}</tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}

/** The head of a column of numbers. */
export function number(title: string): VNode {
  return (
    <th key={title} class="number">
      {title}
    </th>
  );
}
