import type { PermissionPatterns } from '../amqp/index.ts';
import type { Rules, TopicPermissions } from '../users/index.ts';

/** Permissions as the regular expressions that RabbitMQ would have for them; undefined: everything. */
export function patternsOf(permissions: TopicPermissions | undefined): PermissionPatterns {
  if (permissions === undefined) return { configure: '.*', write: '.*', read: '.*' };
  const { manage, publish, consume } = permissions;
  return { configure: patternOf(manage), write: patternOf(publish), read: patternOf(consume) };
}

function patternOf(rules: Rules | undefined): string {
  if (rules === undefined) return '^$';
  const { allow, deny = [] } = rules;
  const allowed = allow === undefined ? '.*' : anyOf(allow);
  return deny.length > 0 ? `^(?!${anyOf(deny)}$)${allowed}$` : allowed === '.*' ? '.*' : `^${allowed}$`;
}

function anyOf(names: readonly string[]): string {
  if (names.includes('*')) return '.*';
  const patterns = names.map((name) =>
    name.endsWith('*') ? `${literal(name.slice(0, -1))}.*` : literal(name),
  );
  return patterns.length === 1 ? patterns[0]! : `(${patterns.join('|')})`;
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
