import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { formatBytes } from '../format.ts';
import type { Check, Examination } from './check.ts';

const shownMax = 20;

/**
 * Files that brokers set aside in the data directory, and their content. Only reads, so a broker may be
 * running there.
 */
export async function checkSetAside({ data }: Examination): Promise<readonly Check[]> {
  const dir = resolve(data);
  if (!(await stat(dir).catch(() => undefined))?.isDirectory()) return [];
  const { setAsideIn } = await import('../../server/index.ts');
  const items = await setAsideIn(dir).catch(() => []);
  if (items.length === 0)
    return [{ name: 'set aside', status: 'ok', message: 'nothing: no damage was ever found' }];
  const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
  const lines = items
    .slice(0, shownMax)
    .map((item) => `${item.path} (${formatBytes(item.bytes)}): ${item.what}`);
  if (items.length > shownMax) lines.push(`and ${items.length - shownMax} more`);
  return [
    {
      name: 'set aside',
      status: 'warning',
      message: `${items.length} ${items.length === 1 ? 'thing' : 'things'} in quarantine/, ${formatBytes(bytes)}: damage was found there or where they come from`,
      advice: [
        ...lines,
        'Keep them until you know that nothing in them is missed; then they may be deleted.',
      ].join('\n'),
      figures: { items: items.length, bytes },
    },
  ];
}
