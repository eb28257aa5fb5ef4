import type { ComponentChildren, VNode } from 'preact';

/** A figure with its name above it. */
export function Figure(props: { readonly name: string; readonly children: ComponentChildren }): VNode {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

/** A fact with its name beside it; nothing if there is none. */
export function Fact(props: { readonly name: string; readonly children?: ComponentChildren }): VNode | null {
  const { children } = props;
  if (children === undefined || children === null || children === '' || children === false) return null;
  return (
    <>
      <dt>{props.name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** A bar from 0 to `max`. */
export function Bar(props: {
  readonly value: number;
  readonly max: number;
  readonly isSlow?: boolean;
}): VNode {
  const share = props.max === 0 ? 0 : Math.min(1, props.value / props.max);
  return (
    <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="ground" x="0" y="0" width="100" height="10" />
      <rect class={props.isSlow === true ? 'slow' : ''} x="0" y="0" width={share * 100} height="10" />
    </svg>
  );
}
