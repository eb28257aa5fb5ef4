import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { SettingJson, SettingsJson } from '../../admin-api/index.ts';
import { ask, sentence } from '../api.ts';
import { goQuery, type Route } from '../route.ts';
import { Table } from './table.tsx';

const origins: { readonly [O in SettingJson['origin']]: string } = {
  flag: 'flag',
  environment: 'environment',
  file: 'file',
  code: 'program',
  default: 'default',
};

/** Every setting with its value and where that is from. They do not change while the broker runs. */
export function SettingList({ route: { query } }: { readonly route: Route }): VNode | null {
  const [answer, setAnswer] = useState<SettingsJson>();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    ask<SettingsJson>('GET', '/api/v1/settings').then(setAnswer, (error: unknown) =>
      setProblem(sentence(error)),
    );
  }, []);
  if (!answer)
    return problem === '' ? null : (
      <p class="error" role="alert">
        {problem}
      </p>
    );
  const words = (query.get('setting') ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const onlySet = query.get('set') === 'true';
  const shown = answer.settings
    .filter(({ origin }) => !onlySet || origin !== 'default')
    .filter(({ name, help }) => words.every((word) => `${name} ${help.toLowerCase()}`.includes(word)));
  return (
    <section>
      <h2>Settings</h2>
      <p class="muted">
        {answer.file === null
          ? 'There is no configuration file.'
          : `The configuration file is ${answer.file}.`}{' '}
        Flags come before the environment, and that before the file. A change takes a restart.
      </p>
      <div class="filters row">
        <label>
          Find{' '}
          <input
            type="search"
            value={query.get('setting') ?? ''}
            onInput={({ currentTarget }) => goQuery({ setting: currentTarget.value }, { replace: true })}
          />
        </label>
        <label>
          <input
            type="checkbox"
            checked={onlySet}
            onChange={({ currentTarget }) =>
              goQuery({ set: currentTarget.checked ? 'true' : undefined }, { replace: true })
            }
          />{' '}
          Only those that are set
        </label>
        <span class="muted">
          {shown.length} of {answer.settings.length}
        </span>
      </div>
      {shown.length === 0 ? (
        <p class="muted">{onlySet ? 'All settings are defaults.' : 'No setting matches.'}</p>
      ) : (
        <Table label="Settings" heads={['Setting', 'Value', 'From', 'What it does']}>
          {shown.map((setting) => (
            <tr key={setting.name}>
              <td class="name nowrap">{setting.name}</td>
              <td class="mono value">{valueOf(setting)}</td>
              <td class={setting.origin === 'default' ? 'muted' : ''}>{origins[setting.origin]}</td>
              <td class="muted help">{setting.help}</td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}

function valueOf({ value, inForce }: SettingJson): VNode {
  if (value === null) return <span class="muted">{inForce ?? 'not set'}</span>;
  if (value === '***') return <span title="A secret, which is not shown">***</span>;
  return <>{typeof value === 'string' ? value : JSON.stringify(value)}</>;
}
