import type { VNode } from 'preact';
import type {
  DeadLetterCauseJson,
  DeadLetterCausesJson,
  DeadLetterJson,
  MessagesJson,
} from '../../admin-api/index.ts';
import { absolute, clock, count, counted } from '../format.ts';
import { Action } from '../parts/action.tsx';
import { Problem } from '../parts/problem.tsx';
import { PurgeLetters, Redrive } from '../parts/redrive.tsx';
import { Ago } from '../parts/times.tsx';
import { goQuery, href, type Route } from '../route.ts';
import { useNow, useWatch } from '../stream.ts';
import { valueText } from '../value.ts';
import { number, Table } from '../parts/table.tsx';

const limit = 50;

/** The dead letters of a topic: by cause and origin, and one by one. */
export function DeadLetter({ route: { path, query } }: { readonly route: Route }): VNode {
  const [, topic = ''] = path;
  const route = `/api/v1/dead-letters/${encodeURIComponent(topic)}`;
  const cursor = query.get('cursor');
  const { value: causes, error } = useWatch<DeadLetterCausesJson>(`${route}/causes`);
  const { value: page } = useWatch<MessagesJson<DeadLetterJson>>(
    `${route}?limit=${limit}&valueBytes=200${cursor === null ? '' : `&cursor=${cursor}`}`,
  );
  const total = causes?.causes.reduce((sum, cause) => sum + cause.count, 0) ?? 0;
  return (
    <>
      <div class="head">
        <h1>
          Dead letters in <a href={href(['topics', topic])}>{topic}</a>
        </h1>
        {causes && (
          <span class="muted" role="status">
            {counted(total, 'message')}
            {causes.isComplete ? '' : ' looked at, there are more'}
          </span>
        )}
        <span class="end row">
          <Action
            name="Redrive all"
            isDisabled={total === 0}
            dialog={(close) => (
              <Redrive
                route={route}
                title={`Redrive all of ${topic}`}
                count={total}
                body={{}}
                onClose={close}
              />
            )}
          />
          <Action
            name="Purge"
            isDangerous
            isDisabled={total === 0}
            dialog={(close) => <PurgeLetters route={route} topic={topic} count={total} onClose={close} />}
          />
        </span>
      </div>
      <Problem error={error} />
      {causes?.causes.length === 0 && <p class="fine">● There is no dead letter here.</p>}
      {causes && causes.causes.length > 0 && <Causes route={route} topic={topic} causes={causes.causes} />}
      {page && page.messages.length > 0 && <Letters route={route} topic={topic} letters={page.messages} />}
      {page && (cursor !== null || !page.atEnd) && (
        <p class="pager">
          <button type="button" disabled={page.atEnd} onClick={() => goQuery({ cursor: page.cursor })}>
            Next
          </button>
          {page.atEnd && <span class="muted">This is the end.</span>}
        </p>
      )}
    </>
  );
}

function Causes(props: {
  readonly route: string;
  readonly topic: string;
  readonly causes: readonly DeadLetterCauseJson[];
}): VNode {
  return (
    <section>
      <h2>Causes</h2>
      <Table
        label="Causes"
        heads={['Cause', 'From', number('Messages'), number('First'), number('Last'), 'Actions']}
      >
        {props.causes.map((cause) => (
          <tr key={`${cause.cause} ${cause.topic} ${cause.group}`}>
            <td class="name">{cause.cause ?? 'unknown'}</td>
            <td>{originOf(cause)}</td>
            <td class="number">{count(cause.count)}</td>
            <td class="number nowrap">
              <Ago ms={cause.firstMs} />
            </td>
            <td class="number nowrap">
              <Ago ms={cause.lastMs} />
            </td>
            <td>
              <Action
                name="Redrive"
                dialog={(close) => (
                  <Redrive
                    route={props.route}
                    title={`Redrive “${cause.cause ?? 'unknown'}”`}
                    count={cause.count}
                    body={{ filter: filterOf(cause) }}
                    onClose={close}
                  />
                )}
              />
            </td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

function Letters(props: {
  readonly route: string;
  readonly topic: string;
  readonly letters: readonly DeadLetterJson[];
}): VNode {
  const now = useNow();
  return (
    <section>
      <h2>Messages</h2>
      <Table
        label="Dead letters"
        heads={[number('Offset'), 'Died', 'Cause', 'From', number('Deliveries'), 'Value', 'Actions']}
      >
        {props.letters.map((letter) => (
          <tr key={`${letter.partition} ${letter.offset}`}>
            <td class="number">
              <a
                class="row-link"
                href={href(['messages', props.topic, String(letter.partition), String(letter.offset)])}
              >
                {letter.offset}
              </a>
            </td>
            <td class="nowrap" title={absolute(letter.timestampMs)}>
              {clock(letter.timestampMs, now)}
            </td>
            <td class="name">{letter.cause ?? 'unknown'}</td>
            <td class="nowrap">{originOf(letter.origin)}</td>
            <td class="number">{letter.deliveries ?? '–'}</td>
            <td class="value mono">
              {letter.encoding === 'base64' ? <em>binary</em> : valueText(letter.value)}
            </td>
            <td>
              <Action
                name="Redrive"
                dialog={(close) => (
                  <Redrive
                    route={props.route}
                    title={`Redrive message ${letter.offset}`}
                    count={1}
                    body={{ offsets: [letter.offset] }}
                    onClose={close}
                  />
                )}
              />
            </td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

function originOf({
  topic,
  group,
}: {
  readonly topic: string | null;
  readonly group: string | null;
}): string {
  if (topic === null) return 'unknown';
  return group === null || group === '' ? topic : `${group} of ${topic}`;
}

function filterOf({ cause, topic, group }: DeadLetterCauseJson): object {
  return {
    ...(cause === null ? {} : { cause }),
    ...(topic === null ? {} : { topic }),
    ...(group === null ? {} : { group }),
  };
}
