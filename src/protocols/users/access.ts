import {
  allowsBelow,
  allowsTopic,
  topicActions,
  type TopicAction,
  type TopicPermissions,
} from './permissions.ts';

/** Verdicts kept per action; when the table is full, all are dropped. */
const verdictsMax = 10_000;

/**
 * An access says what a connection may do with topics after its login. All connections of a user share one.
 *
 * Every operation on a topic asks it: publish, consume, manage, redelivery and browsing of dead letters,
 * redrive, single messages, mirrors and sources. Hot paths compare it with {@link fullAccess} first.
 */
export class Access {
  readonly #permissions: TopicPermissions | undefined;
  readonly #verdicts: { readonly [A in TopicAction]: Map<string, boolean> };

  /** Undefined: everything is allowed. Use {@link accessOf}, so that there is only one such object. */
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

  /** Whether every topic may be consumed, whatever its name. */
  get consumesAll(): boolean {
    const rules = this.#permissions === undefined ? {} : this.#permissions.consume;
    return rules !== undefined && !rules.deny?.length && (rules.allow?.includes('*') ?? true);
  }

  /** Whether any action is allowed. If so, lists show the topic. */
  maySee(topic: string): boolean {
    return this.mayConsume(topic) || this.mayPublish(topic) || this.mayManage(topic);
  }

  /** Whether any action may be allowed for some topic whose name begins so. */
  mayBelow(prefix: string): boolean {
    const permissions = this.#permissions;
    return (
      permissions === undefined || topicActions.some((action) => allowsBelow(permissions[action], prefix))
    );
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

/** The access of users without restrictions, and of all clients if there are no users. */
export const fullAccess: Access = new Access(undefined);

/** The access of requests that need no login and do not use topics. */
export const noAccess: Access = new Access({});

export function accessOf(permissions: TopicPermissions | undefined): Access {
  return permissions === undefined ? fullAccess : new Access(permissions);
}
