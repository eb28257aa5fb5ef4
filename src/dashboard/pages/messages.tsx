import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { MessageJson, MessagesJson, TopicRowsJson } from '../../admin-api/index.ts';
import { type ApiError, ask } from '../api.ts';
import { absolute, bytes, clock, count, counted } from '../format.ts';
import { MessageFilters } from '../parts/message-filters.tsx';
import { Problem } from '../parts/problem.tsx';
import { goQuery, href, type Route } from '../route.ts';
import { useNow, useWatch } from '../stream.ts';
import { valueText } from '../value.ts';
import { Delayed } from './delayed.tsx';
import { Message } from './message.tsx';
import type { Page } from './page.ts';
import { number, Table } from '../parts/table.tsx';

const limit = 50;
/** What a row shows of a value. */
const previewBytes = 300;

/** The messages of a topic, without a trace in any group. */
function Messages({ route: { path, query } }: { readonly route: Route }): VNode {
  const [, topic = ''] = path;
  const now = useNow();
  const asked = queryOf(query);
  const { page, error, isBusy } = usePage(topic, asked);
  const isFiltered = ['key', 'header', 'text', 'path'].some((name) => query.has(name));
  // The newest are shown first, whatever the order in which they are read.
  const isNewest = !['from', 'cursor'].some((name) => query.has(name));
  const messages = isNewest ? (page?.messages.toReversed() ?? []) : (page?.messages ?? []);
  return (
    <>
      <div class="head">
        <h1>
          Messages of <a href={href(['topics', topic])}>{topic}</a>
        </h1>
        <span class="muted">Looking changes nothing: no group notices.</span>
        <span class="end">
          <a href={href(['messages', topic, 'delayed'])}>Delayed messages</a>
        </span>
      </div>
      <MessageFilters query={query} isBusy={isBusy} />
      <Problem error={error} />
      {page && (
        <>
          <p class="muted" role="status">
            {isBusy
              ? 'Reading…'
              : messages.length === 0
                ? page.atEnd
                  ? isFiltered
                    ? 'No message matches.'
                    : 'There is no message here.'
                  : 'No message matched within two seconds of reading; the search can go on.'
                : `${counted(messages.length, 'message')}${isNewest ? ', the newest first' : ''}`}
          </p>
          {messages.length > 0 && <MessageTable topic={topic} messages={messages} now={now} />}
          <p class="pager">
            {isNewest && messages.length > 0 && !isFiltered && (
              <a href={href(['messages', topic], { ...Object.fromEntries(query), from: 'first' })}>
                From the oldest
              </a>
            )}
            {!isNewest && (
              <button
                type="button"
                disabled={page.atEnd || isBusy}
                onClick={() => goQuery({ from: 'cursor', at: page.cursor })}
              >
                {messages.length === 0 ? 'Search on' : 'Next'}
              </button>
            )}
            {!isNewest && page.atEnd && <span class="muted">This is the end.</span>}
          </p>
        </>
      )}
    </>
  );
}

function MessageTable(props: {
  readonly topic: string;
  readonly messages: readonly MessageJson[];
  readonly now: number;
}): VNode {
  return (
    <Table label="Messages" heads={[number('Offset'), 'Time', 'Key', 'Value', number('Size')]}>
      {props.messages.map((message) => (
        <tr key={`${message.partition} ${message.offset}`}>
          <td class="number">
            <a
              class="row-link"
              href={href(['messages', props.topic, String(message.partition), String(message.offset)])}
            >
              {message.partition > 0 ? `${message.partition}:` : ''}
              {message.offset}
            </a>
          </td>
          <td class="nowrap" title={absolute(message.timestampMs)}>
            {clock(message.timestampMs, props.now)}
          </td>
          <td class="name">{message.keyEncoding === 'base64' ? <em>binary</em> : message.key}</td>
          <td class="value mono">
            {message.encoding === 'base64' ? <em>binary</em> : valueText(message.value)}
            {message.truncated && <span class="muted"> …</span>}
          </td>
          <td class="number">{bytes(message.valueBytes)}</td>
        </tr>
      ))}
    </Table>
  );
}

/** The query of a page, from the query of the address. */
function queryOf(query: URLSearchParams): string {
  const asked = new URLSearchParams({ limit: String(limit), valueBytes: String(previewBytes) });
  for (const name of ['key', 'header', 'text', 'path', 'partition']) {
    const value = query.get(name);
    if (value !== null) asked.set(name, value);
  }
  const at = query.get('at') ?? '';
  const from = query.get('from') ?? 'last';
  if (from === 'last') asked.set('last', String(limit));
  else if (from === 'offset') asked.set('offset', at === '' ? '0' : at);
  else if (from === 'time' && at !== '') asked.set('time', new Date(at).toISOString());
  else if (from === 'cursor') asked.set('cursor', at);
  return asked.toString();
}

/** Reads a page; another query ends the reading of the one before. */
function usePage(
  topic: string,
  query: string,
): { page: MessagesJson | undefined; error: ApiError | undefined; isBusy: boolean } {
  const [state, setState] = useState<{ query: string; page?: MessagesJson; error?: ApiError }>({ query: '' });
  useEffect(() => {
    const abort = new AbortController();
    ask<MessagesJson>(
      'GET',
      `/api/v1/topics/${encodeURIComponent(topic)}/messages?${query}`,
      undefined,
      abort.signal,
    ).then(
      (page) => setState({ query, page }),
      (error: ApiError) => {
        if (!abort.signal.aborted) setState({ query, error });
      },
    );
    return () => abort.abort();
  }, [topic, query]);
  return { page: state.page, error: state.error, isBusy: state.query !== query };
}

/** Which topic's messages? */
function Choose({ route: { query } }: { readonly route: Route }): VNode {
  const search = query.get('search') ?? '';
  const asked = new URLSearchParams({ search, sort: 'messages', limit: '50' }).toString();
  const { value: rows, error } = useWatch<TopicRowsJson>(`/api/v1/topic-rows?${asked}`);
  return (
    <>
      <h1>Messages</h1>
      <p class="row">
        <label>
          Topic{' '}
          <input
            type="search"
            value={search}
            onInput={({ currentTarget }) => goQuery({ search: currentTarget.value }, { replace: true })}
          />
        </label>
        {rows?.total === 0 && <span class="muted">There is no topic yet.</span>}
      </p>
      <Problem error={error} />
      <Table label="Topics with messages" heads={['Topic', number('Messages'), number('Size')]}>
        {(rows?.topics ?? []).map((topic) => (
          <tr key={topic.name}>
            <td class="name">
              <a class="row-link" href={href(['messages', topic.name])}>
                {topic.name}
              </a>
            </td>
            <td class="number">{count(topic.messages)}</td>
            <td class="number">{bytes(topic.bytes)}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}

/** A choice of topics, the messages of one, one message, or the delayed ones. */
function View({ route }: { readonly route: Route }): VNode {
  const { path } = route;
  if (path.length === 1) return <Choose route={route} />;
  if (path.length === 2) return <Messages route={route} />;
  return path[2] === 'delayed' ? <Delayed route={route} /> : <Message route={route} />;
}

export const messagesPage: Page = { name: 'messages', title: 'Messages', view: View };
