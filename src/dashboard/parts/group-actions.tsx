import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { GroupDetailsJson } from '../../admin-api/index.ts';
import { ask } from '../api.ts';
import { counted } from '../format.ts';
import { go, href } from '../route.ts';
import { stream } from '../stream.ts';
import { Action } from './action.tsx';
import { Confirm } from './dialog.tsx';
import { SeekDialog } from './seek-dialog.tsx';

/** What can be done to a group. */
export function GroupActions({ group }: { readonly group: GroupDetailsJson }): VNode {
  const { name, topic, lag, consumers } = group;
  const route = `/api/v1/topics/${encodeURIComponent(topic)}/groups/${encodeURIComponent(name)}`;
  const post = async (path: string, body: object = {}): Promise<void> => {
    await ask('POST', `${route}/${path}`, body);
    stream.refresh();
  };
  return (
    <>
      {group.paused ? (
        <Action
          name="Resume"
          dialog={(close) => (
            <Confirm title={`Resume ${name}`} action="Resume" act={() => post('resume')} onClose={close}>
              <p>
                {counted(consumers, 'consumer')} will get {counted(lag, 'waiting message')}.
              </p>
            </Confirm>
          )}
        />
      ) : (
        <Action
          name="Pause"
          dialog={(close) => (
            <Confirm title={`Pause ${name}`} action="Pause" act={() => post('pause')} onClose={close}>
              <p>
                Nothing is delivered until the group is resumed; messages wait. Those in flight can be
                answered.
              </p>
            </Confirm>
          )}
        />
      )}
      <Action
        name="Limits"
        dialog={(close) => (
          <LimitsDialog group={group} act={(limits) => post('limits', limits)} onClose={close} />
        )}
      />
      <Action name="Seek" dialog={(close) => <SeekDialog group={group} route={route} onClose={close} />} />
      <Action
        name="Delete"
        isDangerous
        dialog={(close) => (
          <Confirm
            title={`Delete ${name}`}
            action="Delete"
            typed={name}
            act={async () => {
              await ask('DELETE', route);
              go(href(['topics', topic]));
            }}
            onClose={close}
          >
            <p>
              This deletes the position of the group for good; {counted(consumers, 'consumer')} will be cut
              off. The messages of {topic} stay, unless the topic deletes what all its groups have done.
            </p>
          </Confirm>
        )}
      />
    </>
  );
}

/** How fast and how much at once; an empty field is no limit. */
function LimitsDialog(props: {
  readonly group: GroupDetailsJson;
  readonly act: (limits: object) => Promise<void>;
  readonly onClose: () => void;
}): VNode {
  const { config, name } = props.group;
  const [rate, setRate] = useState(textOf(config.rate?.perSecond));
  const [concurrency, setConcurrency] = useState(textOf(config.concurrency));
  const [inFlight, setInFlight] = useState(textOf(config.maxInFlight));
  const act = (): Promise<void> => {
    const perSecond = numberOf(rate);
    return props.act({
      rate: perSecond === null ? null : { perSecond, burst: Math.max(1, Math.ceil(perSecond)) },
      concurrency: numberOf(concurrency),
      maxInFlight: numberOf(inFlight),
    });
  };
  const field = (label: string, value: string, set: (value: string) => void): VNode => (
    <>
      <dt>{label}</dt>
      <dd>
        <input
          aria-label={label}
          type="number"
          min="0"
          step="any"
          placeholder="no limit"
          value={value}
          onInput={({ currentTarget }) => set(currentTarget.value)}
        />
      </dd>
    </>
  );
  return (
    <Confirm title={`Limits of ${name}`} action="Set" act={act} onClose={props.onClose}>
      <dl class="facts">
        {field('Messages per second', rate, setRate)}
        {field('Messages at once (concurrency)', concurrency, setConcurrency)}
        {field('In flight at most', inFlight, setInFlight)}
      </dl>
    </Confirm>
  );
}

function textOf(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}

function numberOf(text: string): number | null {
  return text.trim() === '' ? null : Number(text);
}
