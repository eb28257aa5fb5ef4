import { subjectCovers, subjectMatches, subjectsOverlap } from '../../util/index.ts';
import type { Rules } from '../users/index.ts';

/** Verdicts kept per list of rules; all are forgotten when one more comes. */
const verdictsMax = 1024;

/** Which subjects a client may publish to. */
export class PublishRules {
  readonly #allow: readonly string[] | undefined;
  readonly #deny: readonly string[];
  readonly #verdicts = new Map<string, boolean>();

  constructor({ allow, deny = [] }: Rules) {
    this.#allow = allow;
    this.#deny = deny;
  }

  allows(subject: string): boolean {
    const known = this.#verdicts.get(subject);
    if (known !== undefined) return known;
    const verdict = this.judge(subject);
    if (this.#verdicts.size >= verdictsMax) this.#verdicts.clear();
    this.#verdicts.set(subject, verdict);
    return verdict;
  }

  /** The same for a subject that is not asked about again. */
  judge(subject: string): boolean {
    const matches = (pattern: string): boolean => subjectMatches(pattern, subject);
    return (this.#allow === undefined || this.#allow.some(matches)) && !this.#deny.some(matches);
  }
}

/** A pattern of subjects, and perhaps one of queues that it holds for. */
interface Entry {
  readonly pattern: string;
  readonly queue: string | undefined;
}

/** Which patterns a client may subscribe to, and which messages it gets of them. */
export class SubscribeRules {
  readonly #allow: readonly Entry[] | undefined;
  readonly #deny: readonly Entry[];

  constructor({ allow, deny = [] }: Rules) {
    this.#allow = allow?.map(entryOf);
    this.#deny = deny.map(entryOf);
  }

  /**
   * As nats-server decides it, but for one thing: a pattern must be covered by what is allowed. There, `a.>` is
   * allowed by `a.*`, and hears more than that.
   */
  allows(pattern: string, queue: string | undefined): boolean {
    const allowed = this.#allow?.filter((entry) => subjectCovers(entry.pattern, pattern));
    if (allowed !== undefined && !holds(allowed, queue)) return false;
    const denied = this.#deny.filter((entry) => subjectMatches(entry.pattern, pattern));
    return denied.length === 0 || !holds(denied, queue);
  }

  /** Whether messages of an allowed pattern may have subjects that are denied. */
  deniesPartOf(pattern: string): boolean {
    return this.#deny.some((entry) => entry.queue === undefined && subjectsOverlap(entry.pattern, pattern));
  }

  denies(subject: string): boolean {
    return this.#deny.some((entry) => entry.queue === undefined && subjectMatches(entry.pattern, subject));
  }
}

/** Entries with queues decide for subscriptions with one; the others for all, where none of them does. */
function holds(entries: readonly Entry[], queue: string | undefined): boolean {
  const withQueue = entries.filter((entry) => entry.queue !== undefined);
  if (queue !== undefined && withQueue.length > 0)
    return withQueue.some((entry) => entry.queue === queue || subjectCovers(entry.queue!, queue));
  return entries.length > withQueue.length;
}

function entryOf(text: string): Entry {
  const [pattern = '', queue] = text.split(' ');
  return { pattern, queue };
}
