import { readFile } from 'node:fs/promises';
import type { Broker } from '../broker/index.ts';
import {
  Door,
  type AnyProtocol,
  type Hall,
  type TlsFiles,
  type TlsIdentity,
  protocols,
} from '../protocols/index.ts';
import { listenError } from './address.ts';
import { doorsOf } from './door-plans.ts';
import { ServerError, messageOf, systemErrorCode } from './errors.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';

/** Makes a door for each protocol that is switched on. None listens yet. */
export function createDoors(broker: Broker, hall: Hall, settings: Settings, log: Log): Door[] {
  return switchedOn(settings).map(
    (protocol) =>
      new Door({
        name: protocol.name,
        title: protocol.title,
        authenticates: protocol.authenticates(settings),
        create: () => protocol.create({ broker, hall, settings, log }),
        onLoadFailed: (error) =>
          log.error(
            `${protocol.title} clients cannot be served: its code failed to load; start the broker again`,
            { error },
          ),
      }),
  );
}

/** Opens the doors, in the order of the table. Rejects with a ServerError that says which of them cannot listen. */
export async function openDoors(doors: readonly Door[], settings: Settings): Promise<void> {
  for (const { name, title, host, port } of doorsOf(settings)) {
    const door = doors.find((door) => door.name === name);
    const files = protocols.find((protocol) => protocol.name === name)?.tls(settings);
    const tls = await readTls(title, files);
    await door?.listen({ host, port }, tls).catch((error: unknown) => {
      throw listenError(error, title, host, port, `--${name}-port`);
    });
  }
}

function switchedOn(settings: Settings): AnyProtocol[] {
  return protocols.filter((protocol) => protocol.port(settings) !== 'off');
}

async function readTls(title: string, files: TlsFiles | undefined): Promise<TlsIdentity | undefined> {
  if (files === undefined) return undefined;
  const [certificate, key] = await Promise.all([
    readPem(title, files.certificate),
    readPem(title, files.key),
  ]);
  return { certificate, key };
}

async function readPem(title: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ServerError(
      'configuration-invalid',
      `The TLS file ${path} for ${title} cannot be read (${systemErrorCode(error) ?? messageOf(error)}); check the path and its permissions.`,
      error,
    );
  }
}
