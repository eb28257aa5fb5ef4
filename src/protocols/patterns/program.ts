import { patternBounds } from './bounds.ts';
import type { Characters } from './characters.ts';
import type { PatternNode } from './parser.ts';
import { PatternError } from './problem.ts';

/** `split` goes on at the next step and at another one. `match` is the last step of a program. */
export type Step =
  | { readonly kind: 'character'; readonly characters: Characters }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'match' }
  | Branch;

interface Branch {
  readonly kind: 'jump' | 'split';
  to: number;
}

/** A program is a pattern as steps, which are followed from the first one to `match`. */
export type Program = readonly Step[];

const { stepsMax } = patternBounds;
/** A repeat of nothing makes no step, and takes its time all the same. */
const visitsMax = 4 * stepsMax;

/** Throws a PatternError if the program would be too long. */
export function compile(node: PatternNode): Program {
  const compiler = new Compiler();
  compiler.emit(node);
  return [...compiler.steps, { kind: 'match' }];
}

class Compiler {
  readonly steps: Step[] = [];
  #visits = 0;

  emit(node: PatternNode): void {
    if (++this.#visits > visitsMax || this.steps.length > stepsMax)
      throw new PatternError({ kind: 'repeats-too-much' });
    switch (node.kind) {
      case 'sequence':
        for (const each of node.nodes) this.emit(each);
        return;
      case 'alternatives':
        return this.#emitAlternatives(node.nodes);
      case 'repeat':
        return this.#emitRepeat(node.node, node.min, node.max);
      default:
        this.steps.push(node);
    }
  }

  #emitAlternatives(nodes: readonly PatternNode[]): void {
    const jumps = nodes.slice(0, -1).map((node) => {
      const split = this.#push('split');
      this.emit(node);
      const jump = this.#push('jump');
      split.to = this.steps.length;
      return jump;
    });
    this.emit(nodes.at(-1)!);
    for (const jump of jumps) jump.to = this.steps.length;
  }

  #emitRepeat(node: PatternNode, min: number, max: number): void {
    for (let times = 0; times < min; times++) this.emit(node);
    const splits: Branch[] = [];
    if (max === Infinity) {
      const start = this.steps.length;
      splits.push(this.#push('split'));
      this.emit(node);
      this.#push('jump').to = start;
    } else
      for (let times = min; times < max; times++) {
        splits.push(this.#push('split'));
        this.emit(node);
      }
    for (const split of splits) split.to = this.steps.length;
  }

  #push(kind: Branch['kind']): Branch {
    const step: Branch = { kind, to: 0 };
    this.steps.push(step);
    return step;
  }
}
