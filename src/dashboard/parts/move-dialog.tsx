import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { DelayedChangedJson, DelayedMessageJson } from '../../admin-api/index.ts';
import { ask } from '../api.ts';
import { absolute, duration } from '../format.ts';
import { stream, useNow } from '../stream.ts';
import { Confirm } from './dialog.tsx';
import { TimeField, localTime, timeOf } from './time-field.tsx';

/** Gives a delayed message another time. */
export function MoveDialog(props: {
  readonly route: string;
  readonly message: DelayedMessageJson;
  readonly onClose: () => void;
}): VNode {
  const { id, dueMs } = props.message;
  const [time, setTime] = useState(localTime(dueMs));
  const now = useNow();
  const atMs = timeOf(time);
  const act = async (): Promise<void> => {
    const { count } = await ask<DelayedChangedJson>('POST', `${props.route}/move`, {
      ids: [id],
      deliverAtMs: atMs,
    });
    stream.refresh();
    if (count === 0) throw new Error('The message does not wait any more: it was published or cancelled.');
  };
  return (
    <Confirm
      title="Move the message"
      action="Move"
      isDisabled={atMs === undefined}
      act={act}
      onClose={props.onClose}
    >
      <p>It is due at {absolute(dueMs)}.</p>
      <dl class="facts">
        <TimeField label="New time" value={time} set={setTime} isRequired />
      </dl>
      <p class="muted">
        {atMs === undefined
          ? 'Give a date and a time.'
          : atMs <= now
            ? 'That is in the past: the message enters the topic at once.'
            : `It then enters the topic in ${duration(atMs - now)}.`}
      </p>
    </Confirm>
  );
}
