/** Stands between the name of a virtual host and that of a queue. */
export const separator = ':';
const nameBytesMax = 100;

/** Why no virtual host may have this name; undefined if one may. */
export function problemOfVhost(name: unknown): string | undefined {
  if (typeof name !== 'string' || name === '') return 'a virtual host has a name';
  if (Buffer.byteLength(name) > nameBytesMax)
    return `the name of a virtual host has at most ${nameBytesMax} bytes`;
  return name.includes(separator) ? `the name of a virtual host has no '${separator}'` : undefined;
}
