import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { GroupDetailsJson, GroupStartJson, SeekPreviewJson } from '../../admin-api/index.ts';
import { ask, sentence } from '../api.ts';
import { count, counted } from '../format.ts';
import { stream } from '../stream.ts';
import { Confirm } from './dialog.tsx';

const kinds = [
  ['time', 'a time'],
  ['offset', 'an offset'],
  ['all', 'the oldest message'],
  ['last', 'the newest message'],
  ['new', 'what comes from now on'],
] as const;

type Kind = (typeof kinds)[number][0];

/** Moves a group, and says before what will be seen again. */
export function SeekDialog(props: {
  readonly group: GroupDetailsJson;
  readonly route: string;
  readonly onClose: () => void;
}): VNode {
  const { group, route, onClose } = props;
  const [kind, setKind] = useState<Kind>('time');
  const [time, setTime] = useState(localTime(Date.now() - 3_600_000));
  const [offset, setOffset] = useState(String(group.cursor));
  const [preview, setPreview] = useState<SeekPreviewJson>();
  const [problem, setProblem] = useState('');
  const start = startOf(kind, time, offset);
  const text = JSON.stringify(start);
  useEffect(() => {
    const abort = new AbortController();
    setPreview(undefined);
    setProblem('');
    ask<SeekPreviewJson>('POST', `${route}/reset/preview`, { start }, abort.signal).then(
      setPreview,
      (error: unknown) => {
        if (!abort.signal.aborted) setProblem(sentence(error));
      },
    );
    return () => abort.abort();
  }, [text]);
  const act = async (): Promise<void> => {
    await ask('POST', `${route}/reset`, { start });
    stream.refresh();
  };
  return (
    <Confirm
      title={`Seek ${group.name}`}
      action="Move the group"
      typed={group.name}
      isDisabled={!preview}
      act={act}
      onClose={onClose}
    >
      <p class="row">
        <label>
          Continue at{' '}
          <select value={kind} onChange={({ currentTarget }) => setKind(currentTarget.value as Kind)}>
            {kinds.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
        {kind === 'time' && (
          <input
            type="datetime-local"
            aria-label="Time"
            step="1"
            value={time}
            onInput={({ currentTarget }) => setTime(currentTarget.value)}
          />
        )}
        {kind === 'offset' && (
          <input
            type="number"
            aria-label="Offset"
            min="0"
            value={offset}
            onInput={({ currentTarget }) => setOffset(currentTarget.value)}
          />
        )}
      </p>
      <p role="status">
        {problem === '' ? <Preview preview={preview} /> : <span class="error">{problem}</span>}
      </p>
    </Confirm>
  );
}

function Preview({ preview }: { readonly preview: SeekPreviewJson | undefined }): VNode {
  if (!preview) return <span class="muted">Counting what this would bring…</span>;
  const { again, passed, after, isUpperBound } = preview;
  if (again === null || passed === null || after === null) return <>How many come again is not known.</>;
  const about = isUpperBound ? 'up to ' : '';
  return (
    <>
      {again > 0 && (
        <strong>
          {about}
          {counted(again, 'message')} will be seen again.{' '}
        </strong>
      )}
      {passed > 0 && (
        <strong>
          {about}
          {counted(passed, 'message')} will be passed over unseen.{' '}
        </strong>
      )}
      {again === 0 && passed === 0 && 'The group stays where it is. '}
      Then {count(after)} wait.
    </>
  );
}

function startOf(kind: Kind, time: string, offset: string): GroupStartJson {
  if (kind === 'time') return { kind, timestampMs: new Date(time).getTime() || 0 };
  if (kind === 'offset') return { kind, offset: Math.max(0, Math.floor(Number(offset) || 0)) };
  return { kind };
}

/** A time as fields of browsers take it, in the zone of the browser. */
export function localTime(ms: number): string {
  const shifted = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}
