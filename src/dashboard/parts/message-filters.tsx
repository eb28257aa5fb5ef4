import type { VNode } from 'preact';
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

/** Where to begin, and what messages must have. The fields are in the address. */
export function MessageFilters(props: { readonly query: URLSearchParams; readonly isBusy: boolean }): VNode {
  const { query } = props;
  const from = query.get('from') ?? '';
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
      {from === 'time' && (
        <input name="at" type="datetime-local" step="1" aria-label="Time" value={query.get('at') ?? ''} />
      )}
      {from === 'offset' && (
        <input name="at" type="number" min="0" aria-label="Offset" value={query.get('at') ?? ''} />
      )}
      {filters.map(([name, title, example]) => (
        <label key={name}>
          {title}{' '}
          <input name={name} type="search" size={16} placeholder={example} value={query.get(name) ?? ''} />
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
