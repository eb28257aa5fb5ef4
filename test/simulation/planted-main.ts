import { parseArgs } from 'node:util';
import { catchBug } from './planting.ts';
import { plantedBugs } from './planted-bugs.ts';

// Plants one bug after the other and prints which check caught it: npm run sim:mutants [-- --only "part of a
// name"]

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const wanted = plantedBugs.filter(({ name }) => name.includes(values.only));
const nameWidth = Math.max(...wanted.map(({ name }) => name.length));
let passed = 0;
process.stdout.write(`${'planted bug'.padEnd(nameWidth)}  seeds  caught by\n`);
for (const bug of wanted) {
  const caught = await catchBug(bug);
  if (!caught) passed++;
  const seeds = caught?.seeds ? String(caught.seeds) : '-';
  process.stdout.write(
    `${bug.name.padEnd(nameWidth)}  ${seeds.padStart(5)}  ${caught?.by ?? 'NOBODY: the suite let it pass'}\n`,
  );
}
process.stdout.write(`${wanted.length - passed} of ${wanted.length} caught\n`);
if (passed > 0) process.exitCode = 1;
