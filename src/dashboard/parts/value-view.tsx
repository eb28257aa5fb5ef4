import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { hexDump, readValue, type ValueKind } from '../value.ts';
import { JsonTree } from './json-tree.tsx';

const names: { readonly [K in ValueKind]: string } = { json: 'JSON', text: 'Text', hex: 'Hex' };

/** The value of a message as a tree, as text or as bytes. It is hostile: it is never markup. */
export function ValueView(props: {
  readonly base64: string;
  readonly form: string | undefined;
  readonly choose: (kind: ValueKind) => void;
}): VNode {
  const value = useMemo(() => readValue(props.base64), [props.base64]);
  const kinds: ValueKind[] = [
    ...(value.json ? (['json'] as const) : []),
    ...(value.text === undefined ? [] : (['text'] as const)),
    'hex',
  ];
  const kind = kinds.find((each) => each === props.form) ?? kinds[0] ?? 'hex';
  return (
    <section>
      <div class="head">
        <h2>Value</h2>
        <span class="row" role="group" aria-label="Shown as">
          {kinds.map((each) => (
            <button key={each} type="button" aria-pressed={each === kind} onClick={() => props.choose(each)}>
              {names[each]}
            </button>
          ))}
        </span>
      </div>
      <div class="whole">
        {kind === 'json' && value.json && <JsonTree value={value.json.value} />}
        {kind === 'text' && <pre>{value.text}</pre>}
        {kind === 'hex' && <pre class="hex">{hexDump(value.bytes)}</pre>}
        {value.bytes.length === 0 && <span class="muted">The value is empty.</span>}
      </div>
    </section>
  );
}
