import type { VNode } from 'preact';

/** A time of the browser's clock in a list of facts. */
export function TimeField(props: {
  readonly label: string;
  /** As an `<input type="datetime-local">` has it; empty: none. */
  readonly value: string;
  readonly set: (value: string) => void;
  readonly isRequired?: boolean;
}): VNode {
  const { label, value, set, isRequired = false } = props;
  return (
    <>
      <dt>{label}</dt>
      <dd>
        <input
          aria-label={label}
          type="datetime-local"
          step={1}
          required={isRequired}
          value={value}
          onInput={({ currentTarget }) => set(currentTarget.value)}
        />
      </dd>
    </>
  );
}

/** `2026-12-01T14:56:00`, by the clock of the browser. */
export function localTime(ms: number | null): string {
  if (ms === null) return '';
  const at = new Date(ms);
  return new Date(ms - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** Milliseconds since the epoch; undefined for none. */
export function timeOf(local: string): number | undefined {
  const ms = Date.parse(local);
  return Number.isNaN(ms) ? undefined : ms;
}
