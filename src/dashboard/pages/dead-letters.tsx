import type { VNode } from 'preact';
import type { DeadLetterTopicsJson } from '../../admin-api/index.ts';
import { bytes, count } from '../format.ts';
import { Problem } from '../parts/problem.tsx';
import { For } from '../parts/times.tsx';
import { href, type Route } from '../route.ts';
import { useWatch } from '../stream.ts';
import { DeadLetter } from './dead-letter.tsx';
import type { Page } from './page.ts';
import { number, Table } from '../parts/table.tsx';

/** The topics that dead letters go to. */
function DeadLetters(): VNode {
  const { value, error } = useWatch<DeadLetterTopicsJson>('/api/v1/dead-letters');
  if (!value) return <Problem error={error} />;
  const topics = value.topics.toSorted((a, b) => b.messages - a.messages);
  return (
    <>
      <h1>Dead letters</h1>
      {topics.length === 0 ? (
        <div class="teach stack">
          <p>
            No group has a dead-letter topic. With one, a message that fails too often is put aside with its
            cause, instead of being delivered for ever:
          </p>
          <pre>pillarbox groups update orders billing --max-deliver 5 --dead-letter orders-failed</pre>
        </div>
      ) : (
        <Table
          label="Dead-letter topics"
          heads={['Topic', number('Dead letters'), number('Size'), number('Oldest'), 'Filled by']}
        >
          {topics.map((topic) => (
            <tr key={topic.topic}>
              <td class="name">
                <a class="row-link" href={href(['dead-letters', topic.topic])}>
                  {topic.topic}
                </a>
              </td>
              <td class={`number${topic.messages > 0 ? ' warning' : ''}`}>{count(topic.messages)}</td>
              <td class="number">{bytes(topic.bytes)}</td>
              <td class="number">
                <For ms={topic.messages === 0 ? null : topic.oldestAgeMs} />
              </td>
              <td>
                {topic.groups
                  .slice(0, 10)
                  .map(({ topic, group }) => (group === '' ? topic : `${group} of ${topic}`))
                  .join(', ')}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}

/** The list, or the letters of one topic. */
function View({ route }: { readonly route: Route }): VNode {
  return route.path.length > 1 ? <DeadLetter route={route} /> : <DeadLetters />;
}

export const deadLettersPage: Page = { name: 'dead-letters', title: 'Dead letters', view: View };
