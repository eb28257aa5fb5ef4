import type { Broker } from '../broker/index.ts';
import {
  Door,
  type AnyProtocol,
  type Frontend,
  type Hall,
  type Users,
  protocols,
} from '../protocols/index.ts';
import { portFlag, type ProtocolName } from '../protocols/settings.ts';
import { listenError } from './address.ts';
import { doorsOf } from './door-plans.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';
import type { TlsGuards } from './tls-guards.ts';

/** Makes a door for each protocol that is switched on. None listens yet. */
export function createDoors(
  broker: Broker,
  hall: Hall,
  users: Users,
  settings: Settings,
  log: Log,
  guards: TlsGuards,
  version: string,
): Door[] {
  const frontendOf = (name: ProtocolName): Promise<Frontend> =>
    doors.find((door) => door.name === name)?.load() ??
    Promise.reject(new Error(`the protocol ${name} is switched off`));
  const shared = { broker, hall, users, settings, log, version, frontendOf };
  const doors = switchedOn(settings).map(
    (protocol) =>
      new Door({
        name: protocol.name,
        title: protocol.title,
        authenticates: () => users.requires(protocol.usersOf ?? protocol.name),
        create: () => protocol.create({ ...shared, tls: guards.of(protocol.name) }),
        onLoadFailed: (error) =>
          log.error(
            `${protocol.title} clients cannot be served: its code failed to load; start the broker again`,
            { error },
          ),
      }),
  );
  return doors;
}

/**
 * Opens the doors, in the order of the table. Rejects with a ServerError that names the one that cannot
 * listen.
 */
export async function openDoors(doors: readonly Door[], settings: Settings): Promise<void> {
  for (const { name, title, host, port } of doorsOf(settings)) {
    const door = doors.find((door) => door.name === name);
    await door?.listen({ host, port }).catch((error: unknown) => {
      throw listenError(error, title, host, port, portFlag(name));
    });
  }
}

function switchedOn(settings: Settings): AnyProtocol[] {
  return protocols.filter((protocol) => protocol.port(settings) !== 'off');
}
