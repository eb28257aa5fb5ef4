import type { VNode } from 'preact';
import type { GroupDetailsJson } from '../../admin-api/index.ts';
import { ask } from '../api.ts';
import { counted } from '../format.ts';
import { go, href } from '../route.ts';
import { stream } from '../stream.ts';
import { Action, ConfirmAction } from './action.tsx';
import { GroupLimits } from './group-limits.tsx';
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
        <ConfirmAction name="Resume" title={`Resume ${name}`} action="Resume" act={() => post('resume')}>
          <p>
            {counted(consumers, 'consumer')} will get {counted(lag, 'waiting message')}.
          </p>
        </ConfirmAction>
      ) : (
        <ConfirmAction name="Pause" title={`Pause ${name}`} action="Pause" act={() => post('pause')}>
          <p>
            Nothing is delivered until the group is resumed; messages wait. Those in flight can be answered.
          </p>
        </ConfirmAction>
      )}
      <Action
        name="Limits"
        dialog={(close) => (
          <GroupLimits group={group} act={(limits) => post('limits', limits)} onClose={close} />
        )}
      />
      <Action name="Seek" dialog={(close) => <SeekDialog group={group} route={route} onClose={close} />} />
      <ConfirmAction
        name="Delete"
        isDangerous
        title={`Delete ${name}`}
        action="Delete"
        typed={name}
        act={async () => {
          await ask('DELETE', route);
          go(href(['topics', topic]));
        }}
      >
        <p>
          This deletes the position of the group for good; {counted(consumers, 'consumer')} will be cut off.
          The messages of {topic} stay, unless the topic deletes what all its groups have done.
        </p>
      </ConfirmAction>
    </>
  );
}
