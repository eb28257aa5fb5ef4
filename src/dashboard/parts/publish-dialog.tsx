import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { MessageJson, PublishResultsJson } from '../../admin-api/index.ts';
import { ask } from '../api.ts';
import { stream } from '../stream.ts';
import { Confirm } from './dialog.tsx';

/** Publishes one message; with `like`, a copy of that one to edit. */
export function PublishDialog(props: {
  readonly topic: string;
  readonly like?: MessageJson;
  readonly onClose: () => void;
}): VNode {
  const { topic, like, onClose } = props;
  const [key, setKey] = useState(like?.key ?? '');
  const [headers, setHeaders] = useState(headersText(like));
  const [value, setValue] = useState(typeof like?.value === 'string' ? like.value : '');
  const [delay, setDelay] = useState('');
  const encoding = like?.encoding === 'base64' ? 'base64' : 'utf8';
  const act = async (): Promise<void> => {
    const message = {
      ...(key === '' ? {} : { key }),
      headers: readHeaders(headers),
      value,
      encoding,
      ...(delay === '' ? {} : { delayMs: Math.round(Number(delay) * 1000) }),
    };
    await ask<PublishResultsJson>('POST', `/api/v1/topics/${encodeURIComponent(topic)}/messages`, {
      messages: [message],
    });
    stream.refresh();
  };
  return (
    <Confirm title={`Publish to ${topic}`} action="Publish" isWide act={act} onClose={onClose}>
      <p class="row">
        <label>
          Key <input value={key} onInput={({ currentTarget }) => setKey(currentTarget.value)} />
        </label>
        <label>
          Deliver in{' '}
          <input
            type="number"
            min="0"
            size={8}
            value={delay}
            placeholder="0"
            onInput={({ currentTarget }) => setDelay(currentTarget.value)}
          />{' '}
          s
        </label>
      </p>
      <label class="column">
        Headers, one in a line: name: value
        <textarea rows={3} value={headers} onInput={({ currentTarget }) => setHeaders(currentTarget.value)} />
      </label>
      <label class="column">
        Value{encoding === 'base64' ? ', in base64' : ''}
        <textarea rows={10} value={value} onInput={({ currentTarget }) => setValue(currentTarget.value)} />
      </label>
    </Confirm>
  );
}

/** Headers that say how a message died belong to that message only. */
function headersText(like: MessageJson | undefined): string {
  return (like?.headers ?? [])
    .filter(({ name, encoding }) => encoding === undefined && !name.startsWith('Pillarbox-Dead-Letter-'))
    .map(({ name, value }) => `${name}: ${value ?? ''}`)
    .join('\n');
}

function readHeaders(text: string): { name: string; value: string }[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const at = line.indexOf(':');
      if (at < 1) throw new Error(`The header “${line}” has no colon after its name.`);
      return { name: line.slice(0, at).trim(), value: line.slice(at + 1).trim() };
    });
}
