import type { Attributes } from '../../../broker/index.ts';

/** Stands between the name of a virtual host and that of a queue. */
export const separator = ':';
const nameBytesMax = 100;

/** The attributes of the broker that name the virtual hosts besides `/`. */
export const vhostAttributes = { protocol: 'amqp', prefix: 'virtual-host ' } as const;

/** The names of the virtual hosts that are kept, besides `/`. */
export function* storedVhosts(attributes: Attributes): Iterable<string> {
  const { protocol, prefix } = vhostAttributes;
  for (const name of attributes.names(protocol)) if (name.startsWith(prefix)) yield name.slice(prefix.length);
}

/** Why no virtual host may have this name; undefined if one may. */
export function problemOfVhost(name: unknown): string | undefined {
  if (typeof name !== 'string' || name === '') return 'a virtual host has a name';
  if (Buffer.byteLength(name) > nameBytesMax)
    return `the name of a virtual host has at most ${nameBytesMax} bytes`;
  return name.includes(separator) ? `the name of a virtual host has no '${separator}'` : undefined;
}
