import { emptyBatch, missingParameter } from './error.ts';
import type { Operation } from './operations/index.ts';
import { structures } from './operations/structures.ts';
import type { ElementName, Member, Members, ScalarName, StructureName } from './shapes.ts';

/** Members that a request may have elsewhere, such as the queue in its path. */
export interface Defaults {
  readonly [member: string]: unknown;
}

export function scalarOf(member: ScalarName | `${ScalarName}!`): ScalarName {
  return (member.endsWith('!') ? member.slice(0, -1) : member) as ScalarName;
}

export function isStructure(element: ElementName): element is StructureName {
  return Object.hasOwn(structures, element);
}

/** Throws an AwsError if the input of an operation lacks a member that it must have. */
export function checkRequired({ service, input }: Operation, value: object): void {
  const check = (members: Members, source: object, path: string): void => {
    for (const name in members) {
      const member = members[name]!;
      const given = (source as { [name: string]: unknown })[name];
      if (isRequired(member) && isEmpty(given)) {
        if (typeof member !== 'string' && member.required === 'entries')
          throw emptyBatch(service, member.as ?? name);
        throw missingParameter(service, path + name);
      }
      if (typeof member !== 'string' && given !== undefined) checkElements(member, name, given, path);
    }
  };
  const checkElements = (
    member: Exclude<Member, string>,
    name: string,
    elements: unknown,
    path: string,
  ): void => {
    const element = 'list' in member ? member.list : member.map;
    if (!isStructure(element)) return;
    // The names of Query, in both protocols.
    const each = member.as ?? `${name}.${'list' in member ? 'member' : 'entry'}`;
    const suffix = 'list' in member ? '.' : `.${member.value}.`;
    let index = 0;
    for (const one of (elements as readonly object[] | ReadonlyMap<string, object>).values())
      check(structures[element], one, `${path}${each}.${++index}${suffix}`);
  };
  check(input, value, '');
}

function isRequired(member: Member): boolean {
  return typeof member === 'string' ? member.endsWith('!') : member.required !== undefined;
}

/** An empty text, list or map is as none: Query cannot tell them apart. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === '') return true;
  return Array.isArray(value) ? value.length === 0 : value instanceof Map && value.size === 0;
}
