import type { VNode } from 'preact';
import type { TopicRowsJson } from '../../admin-api/index.ts';
import { count, counted } from '../format.ts';
import { FirstSteps } from '../parts/first-steps.tsx';
import { Problem } from '../parts/problem.tsx';
import { TopicTable } from '../parts/topic-table.tsx';
import { goQuery, href, type Route } from '../route.ts';
import { useWatch } from '../stream.ts';
import { Group } from './group.tsx';
import type { Page } from './page.ts';
import { Topic } from './topic.tsx';

const rowsMax = 50;

/** All topics: searched, sorted and paged by the broker. */
function Topics({ route: { query } }: { readonly route: Route }): VNode {
  const search = query.get('search') ?? '';
  const by = query.get('sort') ?? 'name';
  const isReversed = query.get('reverse') === 'true';
  const skip = Number(query.get('skip') ?? 0);
  const asked = new URLSearchParams({
    search,
    sort: by,
    reverse: String(isReversed),
    limit: String(rowsMax),
    skip: String(skip),
  });
  const { value: rows, error } = useWatch<TopicRowsJson>(`/api/v1/topic-rows?${asked.toString()}`);
  if (!rows) return <Problem error={error} />;
  if (rows.total === 0) return <FirstSteps />;
  const sort = (next: string): void =>
    goQuery({ sort: next, reverse: next === by && !isReversed ? 'true' : undefined, skip: undefined });
  return (
    <>
      <div class="head">
        <h1>Topics</h1>
        <span class="muted" role="status">
          {search === ''
            ? counted(rows.total, 'topic')
            : `${count(rows.matching)} of ${counted(rows.total, 'topic')} match “${search}”`}
        </span>
      </div>
      <TopicTable topics={rows.topics} sorting={{ by, isReversed, sort }} />
      {rows.matching === 0 && (
        <p>
          No topic, subject or group has these words in its name. <a href={href(['topics'])}>Show all</a>
        </p>
      )}
      {rows.matching > rowsMax && (
        <p class="pager">
          <button
            type="button"
            disabled={skip === 0}
            onClick={() => goQuery({ skip: Math.max(0, skip - rowsMax) || undefined })}
          >
            Previous
          </button>
          <span>
            {count(rows.skip + 1)}–{count(rows.skip + rows.topics.length)} of {count(rows.matching)}
          </span>
          <button
            type="button"
            disabled={skip + rowsMax >= rows.matching}
            onClick={() => goQuery({ skip: skip + rowsMax })}
          >
            Next
          </button>
        </p>
      )}
    </>
  );
}

/** The list, one topic, or one group of it. */
function View({ route }: { readonly route: Route }): VNode {
  if (route.path.length >= 3) return <Group route={route} />;
  return route.path.length === 2 ? <Topic route={route} /> : <Topics route={route} />;
}

export const topicsPage: Page = { name: 'topics', title: 'Topics', view: View };
