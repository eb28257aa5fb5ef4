import {
  coreName as coreNameOf,
  hasLegalCharacters,
  names,
  shownName,
  type KnownNames,
} from '../../names.ts';

/** Whether a stream or a consumer may have this name: streams and consumers have the same rule. */
export function isAssetName(name: string): boolean {
  return hasLegalCharacters(name, names.nats.topic);
}

/** The NATS name of a core name. */
export function assetName(name: string): string {
  return shownName(name, names.nats.topic);
}

/** The core name behind a NATS name: itself when there is one of it, else what it is the encoding of. */
export function coreName(name: string, known: KnownNames): string {
  return coreNameOf(name, names.nats.topic, known) ?? name;
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
