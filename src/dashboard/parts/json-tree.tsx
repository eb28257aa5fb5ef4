import type { VNode } from 'preact';

/** Deeper levels are closed at first. */
const openDepth = 3;
const childrenMax = 500;
/** A deeper value is not drawn: each level is an element in the one before. */
const depthMax = 60;

/** JSON as a tree that opens and closes. */
export function JsonTree({ value }: { readonly value: unknown }): VNode {
  return (
    <div class="tree mono">
      <Node name={undefined} value={value} depth={0} />
    </div>
  );
}

function Node(props: {
  readonly name: string | undefined;
  readonly value: unknown;
  readonly depth: number;
}): VNode {
  const { name, value, depth } = props;
  const label = name !== undefined && <span class="json-name">{name}: </span>;
  if (typeof value !== 'object' || value === null)
    return (
      <div>
        {label}
        <span class={`json-${value === null ? 'null' : typeof value}`}>{JSON.stringify(value)}</span>
      </div>
    );
  const entries = Object.entries(value);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0 || depth >= depthMax)
    return (
      <div>
        {label}
        {open}
        {entries.length > 0 && ` … `}
        {close}
      </div>
    );
  return (
    <details open={depth < openDepth}>
      <summary>
        {label}
        {open} <span class="muted">{entries.length}</span>
      </summary>
      {entries.slice(0, childrenMax).map(([key, child]) => (
        <Node key={key} name={key} value={child} depth={depth + 1} />
      ))}
      {entries.length > childrenMax && <div class="muted">… {entries.length - childrenMax} more</div>}
      <div>{close}</div>
    </details>
  );
}
