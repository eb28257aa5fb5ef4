import type { VNode } from 'preact';
import type { TopicDetailsJson } from '../../admin-api/index.ts';
import { ask } from '../api.ts';
import { counted } from '../format.ts';
import { go, href } from '../route.ts';
import { stream } from '../stream.ts';
import { Action, ConfirmAction } from './action.tsx';
import { PublishDialog } from './publish-dialog.tsx';
import { TopicLimits } from './topic-limits.tsx';

/** What can be done to a topic. */
export function TopicActions({ topic }: { readonly topic: TopicDetailsJson }): VNode {
  const { name, messages, groups } = topic;
  const route = `/api/v1/topics/${encodeURIComponent(name)}`;
  return (
    <>
      <Action name="Publish" dialog={(close) => <PublishDialog topic={name} onClose={close} />} />
      <Action name="Limits" dialog={(close) => <TopicLimits topic={topic} route={route} onClose={close} />} />
      <ConfirmAction
        name="Purge"
        isDangerous
        title={`Purge ${name}`}
        action="Purge"
        typed={name}
        act={async () => {
          await ask('POST', `${route}/purge`, {});
          stream.refresh();
        }}
      >
        <p>
          This deletes {counted(messages, 'message')} for good, delayed ones too. The topic and its groups
          stay.
        </p>
      </ConfirmAction>
      <ConfirmAction
        name="Delete"
        isDangerous
        title={`Delete ${name}`}
        action="Delete"
        typed={name}
        act={async () => {
          await ask('DELETE', route);
          go(href(['topics']));
        }}
      >
        <p>
          This deletes the topic for good, with {counted(messages, 'message')} and {counted(groups, 'group')}.
          Its consumers are cut off.
        </p>
      </ConfirmAction>
    </>
  );
}
