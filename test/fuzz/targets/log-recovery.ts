import { LogError } from '../../../src/log/index.ts';
import { SeededRandom } from '../../../src/util/index.ts';
import { changeAndStart, makeDirectory, type SmallDirectory } from '../../broker/bit-flip.ts';
import type { Target } from '../target.ts';

const editBytes = 6;

/**
 * A data directory with bytes changed freely: each six bytes of the input are a file, a position, a change
 * and its argument. A broker starts there or says why not, and never serves anything that was not published.
 */
export const logRecovery: Target = {
  name: 'log-recovery',
  seeds: () => [
    Buffer.from([1, 0, 0, 0, 0, 1]),
    Buffer.from([0, 0, 0, 0, 0, 3, 7]),
    Buffer.from([2, 0, 64, 0, 3, 200, 3, 1, 0, 1, 0, 9]),
  ],
  prepare: async () => {
    const directories: readonly SmallDirectory[] = [
      await makeDirectory('crash'),
      await makeDirectory('clean stop'),
    ];
    return async (input) => {
      const directory = directories[(input[0] ?? 0) % 2]!;
      const paths = directory.files.paths();
      await changeAndStart(
        directory,
        (files) => {
          for (let at = 1; at + editBytes <= input.length && at < 40 * editBytes; at += editBytes) {
            const path = paths[input[at]! % paths.length]!;
            files.damage(path, (bytes) => edit(bytes, input.subarray(at + 1, at + editBytes)));
          }
        },
        (error) => error instanceof LogError && (error.code === 'damaged' || error.code === 'format-newer'),
      );
    };
  },
};

function edit(bytes: Uint8Array, [high = 0, middle = 0, low = 0, how = 0, value = 0]: Uint8Array): void {
  if (bytes.length === 0) return;
  const at = (high * 65536 + middle * 256 + low) % bytes.length;
  switch (how % 5) {
    case 0:
      bytes[at]! ^= 1 << (value & 7);
      return;
    case 1:
      bytes[at] = value;
      return;
    case 2: // a sector that was never written
      bytes.fill(0, at & ~511, (at & ~511) + 512);
      return;
    case 3: // nothing of ours any more
      bytes.set(new SeededRandom(value + 1).bytes(bytes.length));
      return;
    default: // a sector of another place
      bytes.copyWithin(at & ~511, (value * 512) % bytes.length, ((value * 512) % bytes.length) + 512);
  }
}
