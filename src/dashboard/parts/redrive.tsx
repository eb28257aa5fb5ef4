import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { RedrivenJson } from '../../admin-api/index.ts';
import { ask } from '../api.ts';
import { counted } from '../format.ts';
import { stream } from '../stream.ts';
import { Confirm } from './dialog.tsx';

/** Puts dead letters back. What their topics refuse stays, and is said. */
export function Redrive(props: {
  readonly route: string;
  readonly title: string;
  readonly count: number;
  readonly body: object;
  readonly onClose: () => void;
}): VNode {
  const [to, setTo] = useState('');
  const [limit, setLimit] = useState('');
  const act = async (): Promise<void> => {
    const { redriven, stayed } = await ask<RedrivenJson>('POST', `${props.route}/redrive`, {
      ...props.body,
      ...(to === '' ? {} : { to }),
      ...(limit === '' ? {} : { limit: Number(limit) }),
    });
    stream.refresh();
    if (stayed.length === 0) return;
    const reasons = stayed.map(
      ({ topic, message, count }) => `${counted(count, 'message')} for ${topic}: ${message}`,
    );
    throw new Error(`${counted(redriven, 'message')} went back, the others stay. ${reasons.join(' ')}`);
  };
  const going = limit === '' ? props.count : Math.min(props.count, Number(limit));
  return (
    <Confirm title={props.title} action="Redrive" act={act} onClose={props.onClose}>
      <p>
        <strong>{counted(going, 'message')}</strong> {going === 1 ? 'goes' : 'go'} back to{' '}
        {to === '' ? 'where they came from' : to}, and will be delivered again to every group of that topic.{' '}
        What dies again comes back here, with its new cause.
      </p>
      <dl class="facts">
        <dt>
          <label for="redrive-to">To another topic</label>
        </dt>
        <dd>
          <input id="redrive-to" value={to} onInput={({ currentTarget }) => setTo(currentTarget.value)} />
        </dd>
        {props.count > 1 && (
          <>
            <dt>
              <label for="redrive-limit">At most</label>
            </dt>
            <dd>
              <input
                id="redrive-limit"
                type="number"
                min="1"
                value={limit}
                placeholder={String(props.count)}
                onInput={({ currentTarget }) => setLimit(currentTarget.value)}
              />
            </dd>
          </>
        )}
      </dl>
    </Confirm>
  );
}

/** Deletes all dead letters of a topic. */
export function PurgeLetters(props: {
  readonly route: string;
  readonly topic: string;
  readonly count: number;
  readonly onClose: () => void;
}): VNode {
  const act = async (): Promise<void> => {
    await ask('POST', `${props.route}/purge`, {});
    stream.refresh();
  };
  return (
    <Confirm
      title={`Purge ${props.topic}`}
      action="Purge"
      typed={props.topic}
      act={act}
      onClose={props.onClose}
    >
      <p>This deletes {counted(props.count, 'dead letter')} for good.</p>
    </Confirm>
  );
}
