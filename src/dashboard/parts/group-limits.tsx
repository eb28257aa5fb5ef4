import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { GroupDetailsJson } from '../../admin-api/index.ts';
import { Confirm } from './dialog.tsx';
import { NumberField, numberOf, textOf } from './number-field.tsx';

/** How fast and how much at once; an empty field is no limit. */
export function GroupLimits(props: {
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
  return (
    <Confirm title={`Limits of ${name}`} action="Set" act={act} onClose={props.onClose}>
      <dl class="facts">
        <NumberField label="Messages per second" value={rate} set={setRate} />
        <NumberField label="Messages at once (concurrency)" value={concurrency} set={setConcurrency} />
        <NumberField label="In flight at most" value={inFlight} set={setInFlight} />
      </dl>
    </Confirm>
  );
}
