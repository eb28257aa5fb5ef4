/**
 * A planted bug changes one line of the compiled program and breaks a promise by it. The suite must catch
 * every one: a suite that lets them pass tests nothing.
 */
export interface PlantedBug {
  readonly name: string;
  /** Compiled file, below `src`. */
  readonly file: string;
  /** Stands in it exactly once (checked by a test). */
  readonly find: string;
  readonly replace: string;
  /** Test files that catch it where the simulated disk does no such damage. */
  readonly tests?: readonly string[];
}
