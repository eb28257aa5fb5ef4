import { parseArgs } from 'node:util';
import { generate } from './generator.ts';
import { catchStrays, run } from './run.ts';
import { shrink } from './shrink.ts';
import type { Script } from './script.ts';
import type { Event } from './history.ts';
import { inspect } from 'node:util';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    replay: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    'no-shrink': { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
catchStrays();
function show(events: readonly Event[], upTo: number): void {
  for (const [i, e] of events.entries()) {
    if (i > upTo) break;
    const { kind, ...rest } = e.fact;
    process.stdout.write(
      `${i} [${e.run} ${e.ms.toFixed(2)}] ${kind} ${inspect(rest, { breakLength: Infinity, depth: 6, compact: true }).slice(0, 400)}\n`,
    );
  }
}
const play = (script: Script) => run(script);
async function fail(script: Script, rule: string): Promise<void> {
  const o = await play(script);
  console.log('seed', script.seed, 'ops', script.operations.length, o.violations.slice(0, 2));
  const small = await shrink(script, async (s) => (await play(s)).violations[0]?.rule === rule);
  const o2 = await play(small);
  for (const op of small.operations) console.log(JSON.stringify(op));
  show(o2.events, o2.violations[0]?.at ?? 1e9);
  console.log(o2.violations.slice(0, 2));
}
if (values.replay) {
  const script = generate(Number(values.replay));
  const o = await play(script);
  if (o.violations.length) await fail(script, o.violations[0]!.rule);
} else {
  const from = Number(values.from);
  const n = Number(values.seeds);
  const t = performance.now();
  const byRule = new Map<string, number[]>();
  let events = 0,
    starts = 0;
  for (let seed = from; seed < from + n; seed++) {
    const script = generate(seed);
    const o = await play(script);
    events += o.events.length;
    starts += o.starts;
    if (o.violations.length) {
      const v = o.violations[0]!;
      const rule = v.rule === 'sound' ? `sound ${v.text.split('\n')[0]}` : v.rule;
      byRule.set(rule, [...(byRule.get(rule) ?? []), seed]);
      if (!values.keep) {
        await fail(script, v.rule);
        break;
      }
    }
  }
  console.log(
    n,
    'seeds',
    ((performance.now() - t) / n).toFixed(2),
    'ms each',
    events,
    'events',
    starts,
    'starts',
  );
  for (const [r, s] of [...byRule].sort((a, b) => b[1].length - a[1].length))
    console.log(s.length, r, s.slice(0, 8).join(' '));
}
