import type { Files } from '../../src/log/index.ts';
import type { SeededRandom } from '../../src/util/index.ts';
import type { Call } from './gated-files.ts';
import type { Fault } from './script.ts';

/** The disk is what outlives the process: files with the ways they fail. */
export interface Disk {
  readonly files: Files;
  /** From now on calls fail as the fault says. */
  fault(fault: Fault): void;
  /** Ends all faults; says how many calls failed since the last time. */
  takeFaults(): number;
  /** Bytes were changed at rest: damage may be found and reported. */
  readonly isDamaged: boolean;
  /** What is left when the process died with these calls under way. */
  afterCrash(power: boolean, underWay: readonly Call[], random: SeededRandom): Disk;
}
