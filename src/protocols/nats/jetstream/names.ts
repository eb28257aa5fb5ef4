/**
 * Names of streams and consumers as NATS allows them: they stand as one token in API subjects and as a file
 * name at nats-server.
 *
 * A core name that has other characters (a Kafka topic `a.b`) shows with these percent-encoded, `a%2Eb`;
 * never hidden.
 */

// eslint-disable-next-line no-control-regex
const forbidden = /[.*>/\\\s\u0000-\u0020\u007f]/;

export function isAssetName(name: string): boolean {
  return name.length > 0 && !forbidden.test(name);
}

/** The NATS name of a core name. */
export function assetName(name: string): string {
  if (isAssetName(name)) return name;
  return name.replace(
    new RegExp(forbidden, 'g'),
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** The core name behind a NATS name: itself when `exists` says so, else what it is the encoding of. */
export function coreName(name: string, exists: (name: string) => boolean): string {
  if (exists(name) || !name.includes('%')) return name;
  return name.replace(/%([0-9A-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/** Metadata that the server adds to an asset's own. */
const serverMetadata = ['_nats.level', '_nats.req.level', '_nats.ver'];

/** Metadata as the user gave it, without what a server adds; undefined when nothing is left. */
export function ownMetadata(
  metadata: Readonly<globalThis.Record<string, string>> | undefined,
): Readonly<globalThis.Record<string, string>> | undefined {
  if (metadata === undefined) return undefined;
  const own = Object.fromEntries(Object.entries(metadata).filter(([key]) => !serverMetadata.includes(key)));
  return Object.keys(own).length === 0 ? undefined : own;
}

/**
 * Metadata as nats-server shows it: the user's own, the API level that the asset requires, and level and
 * version of the server.
 */
export function shownMetadata(
  metadata: Readonly<globalThis.Record<string, string>> | undefined,
  requiredLevel: number,
  server: { readonly version: string; readonly apiLevel: number },
): Readonly<globalThis.Record<string, string>> {
  return {
    ...metadata,
    '_nats.level': String(server.apiLevel),
    '_nats.req.level': String(requiredLevel),
    '_nats.ver': server.version,
  };
}
