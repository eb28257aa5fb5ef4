import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/**
 * The names in the certificate of a client, in the order in which users are looked up: email addresses, DNS
 * names and URIs (as in nats-server), then the subject. Empty without TLS or a certificate.
 */
export function certificateNames(socket: Socket): readonly string[] {
  const certificate = certificateOf(socket);
  if (certificate === undefined) return [];
  const alternatives = alternativeNames(certificate.subjectAltName ?? '');
  const ofKind = (kind: string): string[] =>
    alternatives.flatMap(([name, value]) => (name === kind ? [value] : []));
  return [...ofKind('email'), ...ofKind('DNS'), ...ofKind('URI'), ...subjectNames(certificate.subject)];
}

/** The subject in the form of RFC 2253, such as `CN=box,O=Example`: Kafka's principal. */
export function certificateSubject(socket: Socket): string | undefined {
  return subjectNames(certificateOf(socket)?.subject ?? '')[0];
}

function certificateOf(socket: Socket): X509Certificate | undefined {
  return 'getPeerX509Certificate' in socket ? (socket as TLSSocket).getPeerX509Certificate() : undefined;
}

/**
 * Node gives one part a line, in the order of the certificate; RFC 2253 has the last part first. Both orders
 * are names, because tools print either.
 */
function subjectNames(subject: string): string[] {
  if (subject === '') return [];
  const parts = subject.split('\n');
  return [parts.toReversed().join(','), parts.join(',')];
}

/** `DNS:a.example, email:a@example, URI:"with, comma"` */
function alternativeNames(text: string): (readonly [kind: string, value: string])[] {
  return [...text.matchAll(/(\w[\w ]*):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g)].map(
    ([, kind = '', value = '']) =>
      [kind, value.startsWith('"') ? (JSON.parse(value) as string) : value] as const,
  );
}
