import {
  coreName as coreNameOf,
  hasLegalCharacters,
  names,
  shownName,
  type KnownNames,
} from '../../names.ts';

/** Whether a stream or a consumer may have this name: the rule is the same for both. */
export function isAssetName(name: string): boolean {
  return hasLegalCharacters(name, names.nats.topic);
}

/** The NATS name for a name of the broker. */
export function assetName(name: string): string {
  return shownName(name, names.nats.topic);
}

/** The broker's name for a NATS name: the same if it exists, otherwise the decoded name. */
export function coreName(name: string, known: KnownNames): string {
  return coreNameOf(name, names.nats.topic, known) ?? name;
}

/** Metadata that the server adds to an asset's own. */
const serverMetadata = ['_nats.level', '_nats.req.level', '_nats.ver'];

/** The metadata of the user, without the server's members; undefined if none are left. */
export function ownMetadata(
  metadata: Readonly<globalThis.Record<string, string>> | undefined,
): Readonly<globalThis.Record<string, string>> | undefined {
  if (metadata === undefined) return undefined;
  const own = Object.fromEntries(Object.entries(metadata).filter(([key]) => !serverMetadata.includes(key)));
  return Object.keys(own).length === 0 ? undefined : own;
}

/**
 * Metadata as nats-server shows it: the user's, the API level that the stream or consumer requires, and the
 * level and version of the server.
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
