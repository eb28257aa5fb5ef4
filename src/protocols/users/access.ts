import { allowsTopic, type TopicAction, type TopicPermissions } from './permissions.ts';

/** Verdicts kept per action; all are forgotten when one more comes. */
const verdictsMax = 10_000;

/**
 * An access is what a connection may do with topics, after its login. All connections of a user share one.
 *
 * Every way to a topic asks it: publish, consume, manage, redelivery and browsing of dead letters, redrive,
 * single messages, mirrors and sources. Hot paths compare it with {@link fullAccess} first.
 */
export class Access {
  readonly #permissions: TopicPermissions | undefined;
  readonly #verdicts: { readonly [A in TopicAction]: Map<string, boolean> };

  /** Undefined: everything is allowed. Use {@link accessOf}, so that there is one object for that. */
  constructor(permissions: TopicPermissions | undefined) {
    this.#permissions = permissions;
    this.#verdicts = { publish: new Map(), consume: new Map(), manage: new Map() };
  }

  mayPublish(topic: string): boolean {
    return this.may('publish', topic);
  }

  mayConsume(topic: string): boolean {
    return this.may('consume', topic);
  }

  mayManage(topic: string): boolean {
    return this.may('manage', topic);
  }

  /** Whether every topic may be consumed, of whatever name. */
  get consumesAll(): boolean {
    const rules = this.#permissions === undefined ? {} : this.#permissions.consume;
    return rules !== undefined && !rules.deny?.length && (rules.allow?.includes('*') ?? true);
  }

  /** Whether any action is allowed: such a topic is shown in lists. */
  maySee(topic: string): boolean {
    return this.mayConsume(topic) || this.mayPublish(topic) || this.mayManage(topic);
  }

  may(action: TopicAction, topic: string): boolean {
    const permissions = this.#permissions;
    if (permissions === undefined) return true;
    const verdicts = this.#verdicts[action];
    const known = verdicts.get(topic);
    if (known !== undefined) return known;
    if (verdicts.size >= verdictsMax) verdicts.clear();
    const verdict = allowsTopic(permissions[action], topic);
    verdicts.set(topic, verdict);
    return verdict;
  }
}

/** The access of users without restrictions, and of all clients where there are no users. */
export const fullAccess: Access = new Access(undefined);

/** The access of requests that need no login, and do nothing with topics. */
export const noAccess: Access = new Access({});

export function accessOf(permissions: TopicPermissions | undefined): Access {
  return permissions === undefined ? fullAccess : new Access(permissions);
}
