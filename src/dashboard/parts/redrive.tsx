import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RedrivenJson } from '../../admin-api/index.ts';
import { ask } from '../api.ts';
import { count, counted } from '../format.ts';
import { stream } from '../stream.ts';
import { Confirm } from './dialog.tsx';
import { NumberField, numberOf } from './number-field.tsx';

/**
 * Puts dead letters back. What their topics refuse stays, and is said. With a rate they go in portions, as
 * long as the dialog is open.
 */
export function Redrive(props: {
  readonly route: string;
  readonly title: string;
  readonly count: number;
  readonly body: object;
  readonly onClose: () => void;
}): VNode {
  const [to, setTo] = useState('');
  const [limit, setLimit] = useState('');
  const [rate, setRate] = useState('');
  const [done, setDone] = useState(0);
  const isOpen = useRef(true);
  useEffect(() => () => void (isOpen.current = false), []);
  const going = limit === '' ? props.count : Math.min(props.count, Number(limit));
  const move = async (limitNow: number | undefined): Promise<RedrivenJson> => {
    const moved = await ask<RedrivenJson>('POST', `${props.route}/redrive`, {
      ...props.body,
      ...(to === '' ? {} : { to }),
      ...(limitNow === undefined ? {} : { limit: limitNow }),
    });
    stream.refresh();
    return moved;
  };
  const act = async (): Promise<void> => {
    const perSecond = numberOf(rate);
    let redriven = 0;
    for (;;) {
      const portion = perSecond === null ? undefined : Math.min(Math.ceil(perSecond), going - redriven);
      const moved = await move(portion ?? (limit === '' ? undefined : going));
      redriven += moved.redriven;
      setDone(redriven);
      sayWhatStayed(moved, redriven);
      const isOver = perSecond === null || moved.redriven === 0 || moved.left === 0 || redriven >= going;
      if (isOver || !isOpen.current) return;
      await new Promise((resolve) => setTimeout(resolve, (1000 * moved.redriven) / perSecond));
      if (!isOpen.current) return;
    }
  };
  const sayWhatStayed = ({ stayed }: RedrivenJson, redriven: number): void => {
    if (stayed.length === 0) return;
    const reasons = stayed.map(
      ({ topic, message, count }) => `${counted(count, 'message')} for ${topic}: ${message}`,
    );
    throw new Error(`${counted(redriven, 'message')} went back, the others stay. ${reasons.join(' ')}`);
  };
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
            <NumberField
              label="At most per second"
              value={rate}
              set={setRate}
              hint={rate === '' ? 'all at once' : 'while this dialog is open'}
            />
          </>
        )}
      </dl>
      {done > 0 && (
        <p role="status">
          {count(done)} of {counted(going, 'message')} went back.
        </p>
      )}
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
