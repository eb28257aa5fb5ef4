import type { VNode } from 'preact';
import type { DelayedMessageJson, DelayedMessagesJson } from '../../admin-api/index.ts';
import { ask } from '../api.ts';
import { absolute, duration } from '../format.ts';
import { Action, ConfirmAction } from '../parts/action.tsx';
import { MoveDialog } from '../parts/move-dialog.tsx';
import { Problem } from '../parts/problem.tsx';
import { goQuery, href, type Route } from '../route.ts';
import { stream, useNow, useWatch } from '../stream.ts';
import { valueText } from '../value.ts';
import { number, Table } from '../parts/table.tsx';

/** The messages of a topic that wait for their time. */
export function Delayed({ route: { path, query } }: { readonly route: Route }): VNode {
  const [, topic = ''] = path;
  const route = `/api/v1/topics/${encodeURIComponent(topic)}/delayed`;
  const after = query.get('after');
  const { value: page, error } = useWatch<DelayedMessagesJson>(
    `${route}?limit=50&valueBytes=300${after === null ? '' : `&after=${after}`}`,
  );
  const now = useNow();
  return (
    <>
      <div class="head">
        <h1>
          Delayed messages of <a href={href(['topics', topic])}>{topic}</a>
        </h1>
      </div>
      <Problem error={error} />
      {page?.messages.length === 0 && <p class="muted">No message of this topic waits for its time.</p>}
      {page && page.messages.length > 0 && (
        <Table label="Delayed messages" heads={[number('Due in'), 'Key', 'Value', 'Actions']}>
          {page.messages.map((message) => (
            <tr key={message.id}>
              <td class="number" title={absolute(message.dueMs)}>
                {duration(Math.max(0, message.dueMs - now))}
              </td>
              <td class="name">{message.key}</td>
              <td class="value mono">
                {message.encoding === 'base64' ? <em>binary</em> : valueText(message.value)}
              </td>
              <td>
                <Acts route={route} message={message} />
              </td>
            </tr>
          ))}
        </Table>
      )}
      {page && page.next !== null && (
        <p class="pager">
          <button type="button" onClick={() => goQuery({ after: page.next ?? undefined })}>
            Next
          </button>
        </p>
      )}
    </>
  );
}

function Acts({ route, message }: { readonly route: string; readonly message: DelayedMessageJson }): VNode {
  const post = async (path: string): Promise<void> => {
    await ask('POST', `${route}/${path}`, { ids: [message.id] });
    stream.refresh();
  };
  return (
    <span class="row">
      <Action
        name="Move"
        dialog={(close) => <MoveDialog route={route} message={message} onClose={close} />}
      />
      <ConfirmAction name="Publish now" title="Publish now" action="Publish" act={() => post('publish')}>
        <p>The message enters the topic at once, instead of at {absolute(message.dueMs)}.</p>
      </ConfirmAction>
      <ConfirmAction
        name="Cancel"
        isDangerous
        title="Cancel the message"
        action="Cancel the message"
        typed={String(message.id)}
        act={() => post('cancel')}
      >
        <p>The message is removed for good; nobody gets it.</p>
      </ConfirmAction>
    </span>
  );
}
