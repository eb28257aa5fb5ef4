import { useEffect } from 'preact/hooks';

/** What the keys do, for the list that `?` shows. */
export const keyTable: readonly (readonly [key: string, does: string])[] = [
  ['/', 'search topics and groups'],
  ['j k', 'next and previous row'],
  ['enter', 'open the row'],
  ['g then o t m d c s', 'go to overview, topics, messages, dead letters, connections, schedules'],
  ['esc', 'close a dialog, leave the search'],
  ['?', 'this list'],
];

const places: { readonly [key: string]: string } = {
  o: '#/',
  t: '#/topics',
  m: '#/messages',
  d: '#/dead-letters',
  c: '#/connections',
  s: '#/schedules',
};

/** The keys of all pages. Those of a dialog or a field are its own. */
export function useKeys({ help }: { readonly help: () => void }): void {
  useEffect(() => {
    let goes = false;
    const pressed = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
      if (event.key === 'Escape') return target.blur();
      if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
      const wasGoing = goes;
      goes = event.key === 'g';
      if (wasGoing && places[event.key] !== undefined) location.hash = places[event.key] ?? '';
      else if (event.key === '/') document.getElementById('search')?.focus();
      else if (event.key === '?') help();
      else if (event.key === 'j') focusRow(1);
      else if (event.key === 'k') focusRow(-1);
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  });
}

/** Rows are reached by the link in them, so that enter opens it. */
function focusRow(step: number): void {
  const links = [...document.querySelectorAll<HTMLElement>('main .row-link')];
  const at = links.indexOf(document.activeElement as HTMLElement);
  const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step;
  links[Math.min(links.length - 1, Math.max(0, next))]?.focus();
}
