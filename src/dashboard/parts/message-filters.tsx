import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { goQuery } from '../route.ts';
import { localTime } from './seek-dialog.tsx';

const starts = [
  ['', 'the newest'],
  ['first', 'the oldest'],
  ['time', 'a time'],
  ['offset', 'an offset'],
] as const;

const filters = [
  ['key', 'Key', 'orders.* or ada'],
  ['header', 'Header', 'trace or trace=t-1'],
  ['text', 'Text in the value', 'declined'],
  ['path', 'JSON path', 'customer.name=ada'],
] as const;

type Fields = { readonly [name: string]: string };

/**
 * Where to begin, and what messages must have. The fields are in the address once the search is asked for;
 * until then what is typed is kept here, whatever else is drawn anew.
 */
export function MessageFilters(props: { readonly query: URLSearchParams; readonly isBusy: boolean }): VNode {
  const { query } = props;
  const from = query.get('from') ?? '';
  const searched = ['at', ...filters.map(([name]) => name)].map((name) => query.get(name)).join('\n');
  const [typed, setTyped] = useState<{ readonly since: string; readonly fields: Fields }>();
  const fields = typed?.since === searched ? typed.fields : {};
  const field = (name: string): { name: string; value: string; onInput: (event: InputEvent) => void } => ({
    name,
    value: fields[name] ?? query.get(name) ?? '',
    onInput: ({ target }) =>
      setTyped({ since: searched, fields: { ...fields, [name]: (target as HTMLInputElement).value } }),
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const given = Object.fromEntries(
      [...fields].map(([name, value]) => [name, typeof value === 'string' ? value : '']),
    );
    goQuery({ ...given, at: given['at'] ?? '' });
  };
  const begin = (next: string): void =>
    goQuery({
      from: next,
      at: next === 'time' ? localTime(Date.now() - 3_600_000) : next === 'offset' ? '0' : undefined,
    });
  return (
    <form class="row filters" role="search" aria-label="Messages" onSubmit={submit}>
      <label>
        From{' '}
        <select
          name="from"
          value={from === 'cursor' ? 'first' : from}
          onChange={({ currentTarget }) => begin(currentTarget.value)}
        >
          {starts.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </label>
      {from === 'time' && <input type="datetime-local" step="1" aria-label="Time" {...field('at')} />}
      {from === 'offset' && <input type="number" min="0" aria-label="Offset" {...field('at')} />}
      {filters.map(([name, title, example]) => (
        <label key={name}>
          {title} <input type="search" size={16} placeholder={example} {...field(name)} />
        </label>
      ))}
      <button type="submit" class="primary">
        Search
      </button>
      {props.isBusy && (
        <button type="button" onClick={() => history.back()}>
          Cancel
        </button>
      )}
    </form>
  );
}
