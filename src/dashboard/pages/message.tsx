import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { MessageGroupsJson, MessageJson } from '../../admin-api/index.ts';
import { addressOf, type ApiError, ask } from '../api.ts';
import { absolute, bytes } from '../format.ts';
import { Action } from '../parts/action.tsx';
import { Copy } from '../parts/copy.tsx';
import { Fact } from '../parts/fields.tsx';
import { Problem } from '../parts/problem.tsx';
import { PublishDialog } from '../parts/publish-dialog.tsx';
import { ValueView } from '../parts/value-view.tsx';
import { Ago } from '../parts/times.tsx';
import { goQuery, href, type Route } from '../route.ts';
import { useWatch } from '../stream.ts';

/** What is read of a value at first. */
const shownBytes = 65_536;

/** One message whole. */
export function Message({ route: { path, query } }: { readonly route: Route }): VNode {
  const [, topic = '', partition = '0', offset = '0'] = path;
  const route = `/api/v1/topics/${encodeURIComponent(topic)}/messages/${offset}`;
  const valueBytes = Number(query.get('bytes') ?? shownBytes);
  const { message, error } = useMessage(`${route}?partition=${partition}&as=base64&valueBytes=${valueBytes}`);
  const { value: groups } = useWatch<MessageGroupsJson>(`${route}/groups?partition=${partition}`);
  const place = `${partition}:${offset}`;
  const step = (by: number): string =>
    href(['messages', topic, partition, String(Math.max(0, Number(offset) + by))]);
  return (
    <>
      <div class="head">
        <h1>Message {place}</h1>
        <span class="muted">
          of <a href={href(['messages', topic])}>{topic}</a>
        </span>
        <span class="row">
          <a href={step(-1)}>previous</a> <a href={step(1)}>next</a>
        </span>
        {message && (
          <span class="end row">
            <Copy name="curl" text={curlOf(`${route}?partition=${partition}`)} />
            <Copy name="CLI" text={cliOf(topic, partition, offset)} />
            <Action
              name="Clone"
              dialog={(close) => <PublishDialog topic={topic} like={asText(message)} onClose={close} />}
            />
          </span>
        )}
      </div>
      <Problem error={error} />
      {message && (
        <>
          <dl class="facts">
            <Fact name="Key">
              <code>{message.key}</code>
            </Fact>
            <Fact name="Published">
              {absolute(message.timestampMs)}{' '}
              <span class="muted">
                <Ago ms={message.timestampMs} />
              </span>
            </Fact>
            <Fact name="Expires">{message.expiresMs === undefined ? null : absolute(message.expiresMs)}</Fact>
            <Fact name="Size">{bytes(message.valueBytes)}</Fact>
          </dl>
          {groups && groups.groups.length > 0 && <Groups topic={topic} groups={groups} />}
          {message.headers.length > 0 && (
            <section>
              <h2>Headers</h2>
              <dl class="facts mono">
                {message.headers.map(({ name, value, encoding }, at) => (
                  <Fact key={at} name={name}>
                    {encoding === 'base64' ? `base64 ${value}` : (value ?? 'null')}
                  </Fact>
                ))}
              </dl>
            </section>
          )}
          <ValueView
            base64={typeof message.value === 'string' ? message.value : ''}
            form={query.get('as') ?? undefined}
            choose={(as) => goQuery({ as }, { replace: true })}
          />
          {message.truncated && (
            <p>
              The first {bytes(valueBytes)} of {bytes(message.valueBytes)} are shown.{' '}
              <button type="button" onClick={() => goQuery({ bytes: 8 * 2 ** 20 })}>
                Show up to 8 MiB
              </button>
            </p>
          )}
        </>
      )}
    </>
  );
}

const states = {
  waiting: ['○', 'not delivered yet'],
  'in-flight': ['◐', 'delivered, not done'],
  done: ['●', 'done'],
} as const;

function Groups(props: { readonly topic: string; readonly groups: MessageGroupsJson }): VNode {
  return (
    <section>
      <h2>Groups</h2>
      <dl class="facts">
        {props.groups.groups.map(({ name, state }) => (
          <>
            <dt>
              <a href={href(['topics', props.topic, name])}>{name}</a>
            </dt>
            <dd class={state === 'done' ? 'ok' : ''}>
              {states[state][0]} {states[state][1]}
            </dd>
          </>
        ))}
      </dl>
    </section>
  );
}

function useMessage(path: string): { message: MessageJson | undefined; error: ApiError | undefined } {
  const [state, setState] = useState<{ message?: MessageJson; error?: ApiError }>({});
  useEffect(() => {
    const abort = new AbortController();
    ask<MessageJson>('GET', path, undefined, abort.signal).then(
      (message) => setState({ message }),
      (error: ApiError) => {
        if (!abort.signal.aborted) setState({ error });
      },
    );
    return () => abort.abort();
  }, [path]);
  return { message: state.message, error: state.error };
}

/** The message with its value as text, if it is one. */
function asText(message: MessageJson): MessageJson {
  if (typeof message.value !== 'string') return message;
  try {
    const bytes = Uint8Array.from(atob(message.value), (letter) => letter.charCodeAt(0));
    return { ...message, value: new TextDecoder('utf-8', { fatal: true }).decode(bytes), encoding: 'utf8' };
  } catch {
    return message;
  }
}

/** For a shell: text in single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function curlOf(path: string): string {
  return `curl ${quoted(addressOf(path))}`;
}

function cliOf(topic: string, partition: string, offset: string): string {
  const url = quoted(addressOf('/').replace(/\/$/, ''));
  return `pillarbox tail ${quoted(topic)} --partition ${partition} --offset ${offset} --limit 1 --url ${url}`;
}
