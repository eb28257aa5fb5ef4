import type { Broker, Group, Topic } from '../../broker/index.ts';
import type { Reading } from './alarm.ts';
import { AlarmState } from './alarm-state.ts';
import { countText, messagesText, rateText, spanText } from './figures.ts';
import type { Now } from './group-readings.ts';
import { dropFrom } from './message-dropper.ts';
import { RateHold } from './rate-hold.ts';
import type { Rule } from './rules.ts';
import type { ShedPolicy } from './shed-settings.ts';

/** A search for the oldest message of a group with a filter may take so long. */
const searchMs = 100;

interface ShedderHost {
  readonly broker: Broker;
  /** Told to people: something could not be shed, or a person has taken over. */
  readonly onNote: (sentence: string) => void;
}

/** One policy on one topic, with what the last evaluations saw. */
interface Shedding {
  readonly policy: ShedPolicy;
  readonly rule: Rule;
  readonly state: AlarmState;
  /** The worst group at the last evaluation, and its backlog and age. */
  worst: { readonly group: string; readonly undone: number; readonly ageMs: number | undefined } | undefined;
}

/**
 * The shedder keeps a topic from growing when its groups cannot follow: by the policies of the configuration,
 * it slows publishes down, refuses them, or drops messages, and ends that by itself when the groups have
 * recovered. Messages that were accepted are dropped only where a policy says so.
 *
 * Rates are lowered in the configuration of the topic, so that each protocol refuses in its own words; see
 * rate-hold.ts for how that is undone, after a crash, too.
 */
export class Shedder {
  readonly #host: ShedderHost;
  readonly #policies: readonly ShedPolicy[];
  readonly #hold: RateHold;
  readonly #byTopic = new WeakMap<Topic, readonly Shedding[]>();
  /** Messages dropped since the start, by topic. */
  readonly #dropped = new WeakMap<Topic, number>();

  constructor(policies: readonly ShedPolicy[], host: ShedderHost) {
    this.#policies = policies;
    this.#host = host;
    this.#hold = new RateHold(host.broker, host.onNote);
  }

  /** Whether there is nothing to do: no policy, and no topic whose rate an earlier run has lowered. */
  get isIdle(): boolean {
    return this.#policies.length === 0 && !this.#hold.holdsAny();
  }

  droppedOf(topic: Topic): number | undefined {
    return this.#sheddingsOf(topic).length === 0 ? undefined : (this.#dropped.get(topic) ?? 0);
  }

  /** Measures the groups of a topic, begins or ends shedding, and returns the reading of its alarm. */
  async evaluate(topic: Topic, now: Now): Promise<Reading[]> {
    const sheddings = this.#sheddingsOf(topic);
    if (sheddings.length === 0) {
      if (this.#hold.holds(topic)) this.#hold.release(topic); // of a policy that is gone
      return [];
    }
    for (const shedding of sheddings) await this.#judge(shedding, topic, now);
    if (topic.isDeleted) return [];
    const active = sheddings.filter(({ state }) => state.state === 'firing');
    this.#limit(topic, active);
    for (const { policy } of active)
      if (policy.action.kind === 'drop') {
        const dropped = await dropFrom(topic, policy.action);
        this.#dropped.set(topic, (this.#dropped.get(topic) ?? 0) + dropped);
      }
    return [this.#reading(topic, active)];
  }

  async #judge(shedding: Shedding, topic: Topic, now: Now): Promise<void> {
    const { policy, rule, state } = shedding;
    let ratio = 0;
    shedding.worst = undefined;
    for (const group of topic.groups.values()) {
      if (policy.group && !policy.group.matches(group.name)) continue;
      const { lag, inFlight } = group.stats();
      const undone = lag + inFlight;
      const ageMs = undone === 0 || policy.ageMsMax === Infinity ? undefined : await ageOf(group);
      const of = Math.max(undone / policy.lagMax, (ageMs ?? 0) / policy.ageMsMax);
      if (of < ratio || (of === ratio && shedding.worst)) continue;
      ratio = of;
      shedding.worst = { group: group.name, undone, ageMs };
    }
    state.judge(ratio, rule, rule.defaults, now);
  }

  /** Sets the lowest rate of the active policies, and whether publishes beyond it wait or are refused. */
  #limit(topic: Topic, active: readonly Shedding[]): void {
    let perSecond = Infinity;
    let overRate: 'reject' | 'wait' = 'wait';
    for (const { policy } of active) {
      if (policy.action.kind === 'drop') continue;
      perSecond = Math.min(perSecond, policy.action.perSecond);
      if (policy.action.kind === 'refuse') overRate = 'reject';
    }
    if (perSecond === Infinity) this.#hold.release(topic);
    else this.#hold.set(topic, perSecond, overRate);
  }

  #reading(topic: Topic, active: readonly Shedding[]): Reading {
    return {
      rule: 'shedding',
      value: active.length === 0 ? undefined : 1,
      tell: () => {
        const [first] = active;
        const { group = '', undone = 0, ageMs } = first?.worst ?? {};
        const age = ageMs === undefined ? '' : `, the oldest ${spanText(ageMs)} old`;
        const actions = active.map(({ policy }) => actionText(policy)).join(', and ');
        return {
          reason: `Topic "${topic.name}" is shed: ${actions}, because group "${group}" has ${messagesText(undone)} to do${age}.`,
          remedy: `Add consumers or make them faster; it ends by itself at ${endText(first?.policy)}.`,
        };
      },
    };
  }

  #sheddingsOf(topic: Topic): readonly Shedding[] {
    const known = this.#byTopic.get(topic);
    if (known) return known;
    const made = this.#policies
      .filter((policy) => policy.topic.matches(topic.name))
      .map((policy): Shedding => {
        const { forMs, clearMs, recover, action } = policy;
        const state = new AlarmState();
        // Publishes were limited when the broker stopped: go on, until the groups have recovered.
        const wasActive = action.kind === 'refuse' ? this.#hold.refuses(topic) : this.#hold.holds(topic);
        if (action.kind !== 'drop' && wasActive) state.resume(this.#host.broker.clock.now());
        const defaults = { critical: 1, forMs, clearMs };
        return {
          policy,
          rule: { of: 'topic', unit: 'share', when: 'above', ease: recover, defaults },
          state,
          worst: undefined,
        };
      });
    this.#byTopic.set(topic, made);
    return made;
  }
}

async function ageOf(group: Group): Promise<number | undefined> {
  return group.oldestAgeMs(group.config.filters.length === 0 ? undefined : AbortSignal.timeout(searchMs));
}

function actionText({ action }: ShedPolicy): string {
  if (action.kind === 'drop') {
    const which =
      action.belowPriority === Infinity
        ? 'its oldest messages'
        : `its messages below priority ${action.belowPriority}`;
    return `${which} beyond ${countText(action.keep)} are dropped`;
  }
  const rate = rateText(action.perSecond);
  return action.kind === 'slow' ? `publishes beyond ${rate} wait` : `publishes beyond ${rate} are refused`;
}

function endText(policy: ShedPolicy | undefined): string {
  if (!policy) return 'its end';
  const { lagMax, ageMsMax, recover } = policy;
  return [
    ...(lagMax === Infinity ? [] : [messagesText(lagMax * recover)]),
    ...(ageMsMax === Infinity ? [] : [`an age of ${spanText(ageMsMax * recover)}`]),
  ].join(' and ');
}
