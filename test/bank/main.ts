import { parseArgs } from 'node:util';
import { finish, skip } from '../crash/outcome.ts';
import { noPostgres } from '../databases/postgres-server.ts';
import { runBank } from './bank.ts';

// `npm run bank -- --rounds N --seed S`: kills everything at random moments while money moves.

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
if (noPostgres !== false) skip('the bank', noPostgres);
else {
  const seed = Number(values.seed);
  const result = await runBank({
    rounds: Number(values.rounds),
    seed,
    onProgress: (line) => void process.stderr.write(`${line}\n`),
  });
  finish(
    `a bank through outbox, broker and inbox, seed ${seed}`,
    [
      ...Object.entries(result.kills).map(([who, count]): [string, number] => [`kill -9: ${who}`, count]),
      ['transfers', result.transfers],
      ['sums checked', result.sums],
      ['seconds', Math.round(result.seconds)],
    ],
    result.violations.map((text) => ({ rule: 'bank', text })),
  );
}
