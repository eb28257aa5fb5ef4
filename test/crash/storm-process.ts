import { SeededRandom } from '../../src/util/index.ts';
import { type Target, launch } from './attack.ts';
import { attacks } from './attacks.ts';

// All attacks at once, in a process of their own: `storm-process.js TARGET-JSON SEED PART-OF-NAME`. Tells its
// counts twice a second.

const [targetText = '', seedText = '', only = ''] = process.argv.slice(2);
const target = JSON.parse(targetText) as Target;
const random = new SeededRandom(Number(seedText));
const running = attacks
  .filter(({ name }) => name.includes(only))
  .map((attack) => ({ name: attack.name, counts: launch(attack, target, random) }));
setInterval(() => process.send?.(running), 500);
process.once('disconnect', () => process.exit(0));
