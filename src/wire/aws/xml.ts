import type { AwsError } from './error.ts';
import { errorKinds } from './error-kinds.ts';
import { bufferOf } from './json.ts';
import { isStructure, scalarOf } from './members.ts';
import type { Operation, Service } from './operations/index.ts';
import { structures } from './operations/structures.ts';
import type { WireReply } from './reply.ts';
import type { ElementName, Member, Members, Structure } from './shapes.ts';

const namespaces: { readonly [service in Service]: string } = {
  sqs: 'http://queue.amazonaws.com/doc/2012-11-05/',
  sns: 'http://sns.amazonaws.com/doc/2010-03-31/',
};

/**
 * A text inside an element. SQS escapes quotation marks in it too, and carriage returns, which a reader would
 * make line feeds of. Characters that XML cannot have are replaced: no message has them, but an error may
 * repeat what a client has sent.
 */
function escapeXml(text: string): string {
  return special.test(text) ? text.replace(specialAll, (found) => escapes[found] ?? '\ufffd') : text;
}

// oxlint-disable-next-line no-control-regex
const special = /[&<>"\r\u0000-\u0008\u000B\u000C\u000E-\u001F\uD800-\uDFFF\uFFFE\uFFFF]/u;
const specialAll = new RegExp(special.source, 'gu');

const escapes: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;',
};

function element(name: string, content: string): string {
  return content === '' ? `<${name}/>` : `<${name}>${content}</${name}>`;
}

/** The members of a structure as elements, in the order of its table. */
function writeStructure(members: Members, source: object): string {
  let text = '';
  for (const name in members) {
    const value = (source as { [name: string]: unknown })[name];
    if (value !== undefined) text += writeMember(members[name]!, name, value);
  }
  return text;
}

function writeMember(member: Member, name: string, value: unknown): string {
  if (typeof member === 'string') return element(name, writeElement(scalarOf(member), value));
  const each = member.as ?? ('list' in member ? 'member' : 'entry');
  let text = '';
  if ('list' in member)
    for (const one of value as readonly unknown[]) text += element(each, writeElement(member.list, one));
  else
    for (const [key, one] of value as ReadonlyMap<string, unknown>)
      text += element(
        each,
        element(member.key, escapeXml(key)) + element(member.value, writeElement(member.map, one)),
      );
  return member.as === undefined ? element(name, text) : text;
}

function writeElement(element: ElementName, value: unknown): string {
  if (isStructure(element)) return writeStructure(structures[element], value as object);
  if (element === 'blob') return bufferOf(value as Uint8Array).toString('base64');
  return element === 'string' ? escapeXml(value as string) : String(value);
}

/**
 * The answer with the output of an operation:
 *
 * ```
 * <ACTIONResponse xmlns="…"><ACTIONResult>…</ACTIONResult><ResponseMetadata><RequestId>…
 * ```
 *
 * An operation without output has no result.
 */
export function xmlReply<O extends Members>(
  { service, name, output: members }: Operation<Members, O>,
  output: Structure<O>,
  requestId: string,
): WireReply {
  const hasOutput = Object.keys(members).length > 0;
  const result = hasOutput ? element(`${name}Result`, writeStructure(members, output)) : '';
  const metadata = element('ResponseMetadata', element('RequestId', escapeXml(requestId)));
  return reply(service, 200, `${name}Response`, result + metadata, requestId);
}

/** The answer with an error. */
export function xmlRefusal(error: AwsError, requestId: string, service: Service): WireReply {
  const content = element(
    'Error',
    element('Type', error.fault) +
      element('Code', error.code(service)) +
      element('Message', escapeXml(messageOf(error))) +
      (service === 'sqs' ? element('Detail', '') : ''),
  );
  const id = element('RequestId', escapeXml(requestId));
  return reply(service, error.status, 'ErrorResponse', content + id, requestId);
}

/** Query has another text for some errors. */
function messageOf({ kind, message }: AwsError): string {
  const { message: usual, queryMessage } = errorKinds[kind];
  return message === usual ? (queryMessage ?? message) : message;
}

function reply(
  service: Service,
  status: number,
  root: string,
  content: string,
  requestId: string,
): WireReply {
  const prolog = service === 'sqs' ? '<?xml version="1.0"?>' : '';
  return {
    status,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
    body: `${prolog}<${root} xmlns="${namespaces[service]}">${content}</${root}>`,
  };
}
