import { subjectCovers, subjectMatches, subjectsOverlap } from '../../util/index.ts';
import type { Rules } from '../users/index.ts';

/** Verdicts kept per list of rules; when the table is full, all are dropped. */
const verdictsMax = 1024;

/** Decides which subjects a client may publish to. */
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

  get patterns(): readonly string[] {
    return [...(this.#allow ?? []), ...this.#deny];
  }

  /** The same as `allows`, for a subject that will not repeat. */
  judge(subject: string): boolean {
    const matches = (pattern: string): boolean => subjectMatches(pattern, subject);
    return (this.#allow === undefined || this.#allow.some(matches)) && !this.#deny.some(matches);
  }
}

/** A pattern of subjects, optionally with a pattern of the queues that it applies to. */
interface Entry {
  readonly pattern: string;
  readonly queue: string | undefined;
}

/** Decides which patterns a client may subscribe to, and which of their messages it gets. */
export class SubscribeRules {
  readonly #allow: readonly Entry[] | undefined;
  readonly #deny: readonly Entry[];

  constructor({ allow, deny = [] }: Rules) {
    this.#allow = allow?.map(entryOf);
    this.#deny = deny.map(entryOf);
  }

  /**
   * Decides as nats-server does, with one difference: an allowed pattern must cover the whole pattern of the
   * subscription. In nats-server `a.*` allows `a.>`, which matches more.
   */
  allows(pattern: string, queue: string | undefined): boolean {
    const allowed = this.#allow?.filter((entry) => subjectCovers(entry.pattern, pattern));
    if (allowed !== undefined && !holds(allowed, queue)) return false;
    const denied = this.#deny.filter((entry) => subjectMatches(entry.pattern, pattern));
    return denied.length === 0 || !holds(denied, queue);
  }

  /** Whether messages of an allowed pattern may have denied subjects. */
  deniesPartOf(pattern: string): boolean {
    return this.#deny.some((entry) => entry.queue === undefined && subjectsOverlap(entry.pattern, pattern));
  }

  denies(subject: string): boolean {
    return this.#deny.some((entry) => entry.queue === undefined && subjectMatches(entry.pattern, subject));
  }
}

/**
 * For a subscription with a queue, the entries with queues decide. Without such entries, and for other
 * subscriptions, the entries without queues decide.
 */
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
