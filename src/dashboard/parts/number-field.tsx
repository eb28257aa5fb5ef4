import type { VNode } from 'preact';

/** A number in a list of facts; an empty field is no limit. */
export function NumberField(props: {
  readonly label: string;
  readonly value: string;
  readonly set: (value: string) => void;
  readonly isWhole?: boolean;
  /** What stands beside it. */
  readonly hint?: string;
}): VNode {
  const { label, value, set, isWhole = false, hint } = props;
  return (
    <>
      <dt>{label}</dt>
      <dd>
        <input
          aria-label={label}
          type="number"
          min={isWhole ? 1 : 0}
          step={isWhole ? 1 : 'any'}
          placeholder="no limit"
          value={value}
          onInput={({ currentTarget }) => set(currentTarget.value)}
        />{' '}
        {hint !== undefined && <span class="muted">{hint}</span>}
      </dd>
    </>
  );
}

export function textOf(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}

/** Null: no limit. */
export function numberOf(text: string): number | null {
  return text.trim() === '' ? null : Number(text);
}
