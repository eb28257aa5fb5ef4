import { AwsError } from './error.ts';
import type { Form, FormNode } from './form.ts';
import { malformed, readBase64 } from './json.ts';
import { checkRequired, isStructure, scalarOf, type Defaults } from './members.ts';
import {
  isSnsAction,
  isSqsAction,
  type Operation,
  snsOperations,
  sqsOperations,
} from './operations/index.ts';
import { structures } from './operations/structures.ts';
import type { ElementName, Member, Members, ScalarName, Structure } from './shapes.ts';

// Query: a request is a form with the operation as `Action`, and an answer is XML (xml.ts).

/** The versions of the two services, as requests have them in `Version`. */
const sqsVersion = '2012-11-05';
const snsVersion = '2010-03-31';

/**
 * The operation of a form. The version tells SQS and SNS apart, which share a few names; without one, the
 * name decides, and then SQS. Throws an AwsError.
 */
export function readAction(form: Form): Operation {
  const name = form.get('Action');
  if (name === undefined || name === '')
    throw new AwsError('MissingAction', 'The request must contain the parameter Action.');
  const version = form.get('Version');
  if (version !== snsVersion && isSqsAction(name)) return sqsOperations[name];
  if (version !== sqsVersion && isSnsAction(name)) return snsOperations[name];
  throw new AwsError('InvalidAction', `The action ${name.slice(0, 80)} is not valid for this endpoint.`);
}

/** Reads the input of an operation from a form, as `readJson` does from JSON. Throws an AwsError. */
export function readForm<I extends Members>(
  operation: Operation<I>,
  form: Form,
  defaults: Defaults = {},
): Structure<I> {
  const input = readStructure(operation.input, form.root);
  for (const name in defaults) input[name] ??= defaults[name];
  checkRequired(operation, input);
  return input as Structure<I>;
}

function readStructure(members: Members, node: FormNode): { [name: string]: unknown } {
  const result: { [name: string]: unknown } = {};
  for (const name in members) {
    const value = readMember(members[name]!, name, node);
    if (value !== undefined) result[name] = value;
  }
  return result;
}

function readMember(member: Member, name: string, node: FormNode): unknown {
  if (typeof member === 'string') {
    const value = node.below?.get(name)?.value;
    return value === undefined ? undefined : readScalar(scalarOf(member), value);
  }
  const isList = 'list' in member;
  const at = node.below?.get(member.as ?? name);
  if (!at) return undefined;
  const elements = member.as === undefined ? at.below?.get(isList ? 'member' : 'entry') : at;
  if (isList) {
    // `AttributeName=All` is a list of one.
    if (!elements?.below && at.value !== undefined && at.value !== '' && !isStructure(member.list))
      return [readScalar(member.list, at.value)];
    return numbered(elements).map((one) => readElement(member.list, one));
  }
  const map = new Map<string, unknown>();
  for (const entry of numbered(elements)) {
    const key = entry.below?.get(member.key)?.value;
    const value = entry.below?.get(member.value);
    if (key === undefined) throw malformed('A map has an entry without a key.');
    map.set(key, readElement(member.map, value ?? {}));
  }
  return map;
}

/**
 * What is below numbers, in their order. Numbers may be left out, and be of any size: they only order what
 * the form has.
 */
function numbered(node: FormNode | undefined): FormNode[] {
  if (!node?.below) return [];
  const elements: [number, FormNode][] = [];
  for (const [part, element] of node.below)
    if (/^[0-9]{1,15}$/.test(part)) elements.push([Number(part), element]);
  return elements.sort(([a], [b]) => a - b).map(([, element]) => element);
}

function readElement(element: ElementName, node: FormNode): unknown {
  return isStructure(element)
    ? readStructure(structures[element], node)
    : readScalar(element, node.value ?? '');
}

function readScalar(scalar: ScalarName, text: string): unknown {
  switch (scalar) {
    case 'string':
      return text;
    case 'integer':
      return readNumber(text, 'an Integer', (value) => value === (value | 0));
    case 'long':
      return readNumber(text, 'a Long', Number.isSafeInteger);
    case 'boolean':
      if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
      throw malformed('STRING_VALUE can not be converted to a Boolean');
    default:
      return readBase64(text);
  }
}

function readNumber(text: string, name: string, fits: (value: number) => boolean): number {
  const value = /^[+-]?[0-9]{1,16}$/.test(text) ? Number(text) : NaN;
  if (!fits(value)) throw malformed(`STRING_VALUE can not be converted to ${name}`);
  return value;
}
