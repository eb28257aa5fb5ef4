import { topicActions, type TopicAction, type TopicPermissions } from '../users/index.ts';
import { virtualHost } from './errors.ts';
import { rulesOfPattern, type PermissionPatterns } from './permission-pattern.ts';
import { separator } from './vhosts/vhost-name.ts';

/** The permissions of a user in each virtual host. */
export interface VhostPermissions {
  readonly [vhost: string]: PermissionPatterns;
}

/** RabbitMQ's word for each action on a topic. */
const words: { readonly [A in TopicAction]: keyof PermissionPatterns } = {
  manage: 'configure',
  publish: 'write',
  consume: 'read',
};

/**
 * The rules over topics that the permissions mean. The topics of a virtual host begin with its name, which
 * patterns of `/` may cover, too: what they allow there is denied, unless the user may do everything there.
 */
export function rulesOf(permissions: VhostPermissions, vhosts: readonly string[]): TopicPermissions {
  const entries = topicActions.flatMap((action) => {
    const allow = Object.entries(permissions).flatMap(([vhost, patterns]) => {
      const prefix = vhost === virtualHost ? '' : vhost + separator;
      return allowedBy(patterns[words[action]]).map((name) => prefix + name);
    });
    const deny = vhosts.filter((vhost) => isCovered(permissions, action, vhost)).map(topicsOf);
    return allow.length === 0 ? [] : [[action, { allow, deny }] as const];
  });
  return Object.fromEntries(entries);
}

/**
 * Why the permissions cannot be told apart; undefined if they can. A user that may do something with names of
 * `/` that cover a virtual host, and with some names of that virtual host, would lose the latter.
 */
export function problemOfPermissions(permissions: VhostPermissions): string | undefined {
  for (const vhost of Object.keys(permissions))
    for (const action of topicActions) {
      const isUsed = allowedBy(permissions[vhost]![words[action]]).length > 0;
      if (vhost !== virtualHost && isUsed && isCovered(permissions, action, vhost))
        return `${words[action]}: a pattern of the vhost / covers the names of ${vhost}, where the user may only use some: give it .* there, or other names in /`;
    }
  return undefined;
}

/** Whether patterns of `/` allow names of another virtual host, in which the user may not do everything. */
function isCovered(permissions: VhostPermissions, action: TopicAction, vhost: string): boolean {
  const word = words[action];
  const prefix = vhost + separator;
  const plain = permissions[virtualHost];
  if (plain === undefined || allowedBy(permissions[vhost]?.[word] ?? '').includes('*')) return false;
  return allowedBy(plain[word]).some((name) => {
    const start = name.endsWith('*') ? name.slice(0, -1) : name;
    return start.startsWith(prefix) || (name.endsWith('*') && prefix.startsWith(start));
  });
}

function topicsOf(vhost: string): string {
  return `${vhost}${separator}*`;
}

/** A pattern that means something else was refused when it came. */
function allowedBy(pattern: string): readonly string[] {
  const rules = rulesOfPattern(pattern);
  return typeof rules === 'object' ? (rules.allow ?? []) : [];
}
