import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { href } from '../route.ts';
import type { Trouble } from '../troubles.ts';
import { Ago } from './times.tsx';

const shownMax = 6;
const signs = { critical: '■', warning: '▲', info: '●' } as const;

/** What is wrong, in sentences; or that nothing is. */
export function Troubles({ troubles }: { readonly troubles: readonly Trouble[] }): VNode {
  const [isWhole, setWhole] = useState(false);
  if (troubles.length === 0)
    return (
      <p class="fine" role="status">
        <span class="ok">●</span> Nothing is wrong.
      </p>
    );
  const shown = isWhole ? troubles : troubles.slice(0, shownMax);
  const hidden = troubles.length - shown.length;
  return (
    <div class="stack">
      <ul class="findings" aria-label="What is wrong">
        {shown.map((trouble) => (
          <li key={`${trouble.rule} ${trouble.topic} ${trouble.group}`} class={`${trouble.level}-level`}>
            <span class="sign" role="img" aria-label={trouble.level}>
              {signs[trouble.level]}
            </span>
            <span>
              {trouble.reason} <span class="remedy">{trouble.remedy}</span>
              {trouble.sinceMs !== null && (
                <span class="muted">
                  {' '}
                  Since <Ago ms={trouble.sinceMs} />.
                </span>
              )}
            </span>
            <span class="acts">
              {linksOf(trouble).map(([text, to]) => (
                <a key={text} href={to}>
                  {text}
                </a>
              ))}
            </span>
          </li>
        ))}
      </ul>
      {hidden > 0 && (
        <button type="button" class="plain" onClick={() => setWhole(true)}>
          {hidden} more
        </button>
      )}
    </div>
  );
}

function linksOf({ rule, topic, group }: Trouble): [text: string, to: string][] {
  if (topic === null) return [['settings', href(['settings'])]];
  if (/dead/.test(rule)) return [['look', href(['dead-letters', topic])]];
  if (group === null) return [['look', href(['topics', topic])]];
  return [
    ['look', href(['topics', topic, group])],
    ['messages', href(['messages', topic])],
  ];
}
