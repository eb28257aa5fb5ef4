import type { VNode } from 'preact';
import type { DelayedMessageJson, DelayedMessagesJson } from '../../admin-api/index.ts';
import { ask } from '../api.ts';
import { absolute, duration } from '../format.ts';
import { Action } from '../parts/action.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { Problem } from '../parts/problem.tsx';
import { goQuery, href, type Route } from '../route.ts';
import { stream, useNow, useWatch } from '../stream.ts';
import { valueText } from '../value.ts';

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
        <div class="scroll" tabIndex={0} role="region" aria-label="Delayed messages">
          <table>
            <thead>
              <tr>
                <th class="number">Due in</th>
                <th>Key</th>
                <th>Value</th>
                <th>Actions</th>
              </tr>
            </thead>
            <tbody>
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
            </tbody>
          </table>
        </div>
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
        name="Publish now"
        dialog={(close) => (
          <Confirm title="Publish now" action="Publish" act={() => post('publish')} onClose={close}>
            <p>The message enters the topic at once, instead of at {absolute(message.dueMs)}.</p>
          </Confirm>
        )}
      />
      <Action
        name="Cancel"
        isDangerous
        dialog={(close) => (
          <Confirm
            title="Cancel the message"
            action="Cancel the message"
            typed={String(message.id)}
            act={() => post('cancel')}
            onClose={close}
          >
            <p>The message is removed for good; nobody gets it.</p>
          </Confirm>
        )}
      />
    </span>
  );
}
