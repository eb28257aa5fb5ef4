import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { TopicDetailsJson } from '../../admin-api/index.ts';
import { ask } from '../api.ts';
import { bytes, count, duration } from '../format.ts';
import { stream } from '../stream.ts';
import { Confirm } from './dialog.tsx';
import { NumberField, numberOf, textOf } from './number-field.tsx';

const overflows = [
  ['drop-oldest', 'drop the oldest messages'],
  ['reject', 'refuse publishes'],
  ['wait', 'let publishers wait'],
] as const;

type Overflow = (typeof overflows)[number][0];

/**
 * How much a topic keeps; an empty field is no limit. A smaller limit drops what is beyond it, and says so.
 */
export function TopicLimits(props: {
  readonly topic: TopicDetailsJson;
  readonly route: string;
  readonly onClose: () => void;
}): VNode {
  const { name, config, messages, bytes: stored } = props.topic;
  const [messagesMax, setMessagesMax] = useState(textOf(config.messagesMax));
  const [bytesMax, setBytesMax] = useState(textOf(config.bytesMax));
  const [ageSeconds, setAgeSeconds] = useState(textOf(config.ageMsMax && config.ageMsMax / 1000));
  const [overflow, setOverflow] = useState<Overflow>(config.overflow);
  const ageMs = numberOf(ageSeconds);
  const act = async (): Promise<void> => {
    await ask('PATCH', props.route, {
      messagesMax: numberOf(messagesMax),
      bytesMax: numberOf(bytesMax),
      ageMsMax: ageMs === null ? null : ageMs * 1000,
      overflow,
    });
    stream.refresh();
  };
  const isSmaller =
    (numberOf(messagesMax) ?? Infinity) < messages ||
    (numberOf(bytesMax) ?? Infinity) < stored ||
    (ageMs ?? Infinity) * 1000 < (props.topic.oldestAgeMs ?? 0);
  return (
    <Confirm
      title={`Limits of ${name}`}
      action="Set"
      act={act}
      onClose={props.onClose}
      {...(isSmaller ? { typed: name } : {})}
    >
      <dl class="facts">
        <NumberField
          label="Messages at most"
          value={messagesMax}
          set={setMessagesMax}
          isWhole
          hint={`now ${count(messages)}`}
        />
        <NumberField
          label="Bytes at most"
          value={bytesMax}
          set={setBytesMax}
          isWhole
          hint={`now ${bytes(stored)}`}
        />
        <NumberField
          label="Age at most, in seconds"
          value={ageSeconds}
          set={setAgeSeconds}
          isWhole
          hint={ageMs === null ? '' : duration(ageMs * 1000)}
        />
        <dt>
          <label for="overflow">When full</label>
        </dt>
        <dd>
          <select
            id="overflow"
            value={overflow}
            onChange={({ currentTarget }) => setOverflow(currentTarget.value as Overflow)}
          >
            {overflows.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </dd>
      </dl>
      {isSmaller && <p class="warning">▲ The topic has more than that: the oldest messages go at once.</p>}
    </Confirm>
  );
}
