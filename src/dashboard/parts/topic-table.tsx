import type { VNode } from 'preact';
import type { GroupChipJson, TopicRowJson } from '../../admin-api/index.ts';
import { count, counted, duration, rate } from '../format.ts';
import { href } from '../route.ts';
import { Spark } from './spark.tsx';
import { Table } from './table.tsx';
import { For } from './times.tsx';

export interface Sorting {
  readonly by: string;
  readonly isReversed: boolean;
  readonly sort: (by: string) => void;
}

const heads: readonly (readonly [by: string, title: string, isNumber: boolean])[] = [
  ['name', 'Topic', false],
  ['in', 'In', true],
  ['out', 'Out', true],
  ['', 'Last minutes', false],
  ['backlog', 'Backlog', true],
  ['', 'Oldest', true],
  ['full', 'Full in', true],
  ['', 'Groups', false],
];

/** Topics, a row for each. */
export function TopicTable(props: {
  readonly topics: readonly TopicRowJson[];
  readonly sorting?: Sorting;
}): VNode {
  return (
    <Table
      label="Topics"
      heads={heads.map(([by, title, isNumber]) => (
        <Head key={title} by={by} title={title} isNumber={isNumber} sorting={props.sorting} />
      ))}
    >
      {props.topics.map((topic) => (
        <tr key={topic.name}>
          <td class="name">
            <a class="row-link" href={href(['topics', topic.name])}>
              {topic.name}
            </a>
          </td>
          <td class="number">{rate(topic.inPerSecond)}</td>
          <td class="number">{rate(topic.outPerSecond)}</td>
          <td>
            <Spark track={topic.recent} />
          </td>
          <td class="number" title={counted(topic.messages, 'message') + ' stored'}>
            {topic.backlog === null ? '–' : count(topic.backlog)}
          </td>
          <td class="number">
            <For ms={topic.messages === 0 ? null : topic.oldestAgeMs} />
          </td>
          <td class="number">
            {topic.timeToFullMs === null ? (
              '–'
            ) : (
              <span class={topic.timeToFullMs < 3_600_000 ? 'warning' : ''}>
                {duration(topic.timeToFullMs)}
              </span>
            )}
          </td>
          <td>
            <Chips topic={topic} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Head(props: {
  readonly by: string;
  readonly title: string;
  readonly isNumber: boolean;
  readonly sorting: Sorting | undefined;
}): VNode {
  const { by, title, isNumber, sorting } = props;
  const kind = isNumber ? { class: 'number' } : {};
  if (by === '' || !sorting) return <th {...kind}>{title}</th>;
  const isSorted = sorting.by === by;
  const isAscending = (by === 'name' || by === 'full') !== sorting.isReversed;
  return (
    <th {...kind} {...(isSorted ? { 'aria-sort': isAscending ? 'ascending' : 'descending' } : {})}>
      <button type="button" onClick={() => sorting.sort(by)}>
        {title}
        {isSorted ? (isAscending ? ' ↑' : ' ↓') : ''}
      </button>
    </th>
  );
}

function Chips({ topic }: { readonly topic: TopicRowJson }): VNode {
  const hidden = topic.groups - topic.groupsByLag.length;
  return (
    <div class="chips">
      {topic.groups === 0 && <span class="muted">none</span>}
      {topic.groupsByLag.map((chip) => (
        <a key={chip.name} href={href(['topics', topic.name, chip.name])}>
          {chip.name} <Lag chip={chip} />
        </a>
      ))}
      {hidden > 0 && <span class="muted">and {hidden} more</span>}
    </div>
  );
}

/** The lag of a group, with a word and a shape for what is unusual. */
function Lag({ chip: { lag, consumers, paused, grows } }: { readonly chip: GroupChipJson }): VNode {
  if (paused) return <span class="warning">{count(lag)} ‖ paused</span>;
  if (lag > 0 && consumers === 0) return <span class="warning">{count(lag)} ○ no consumer</span>;
  if (grows) return <span class="warning">{count(lag)} ▲ grows</span>;
  return <span class="muted">{count(lag)}</span>;
}
