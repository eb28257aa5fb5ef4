import { protocols, Users, usersOfSettings } from '../protocols/index.ts';
import type { ProtocolName } from '../protocols/settings.ts';
import type { Settings } from './settings.ts';

/** The listening address of a protocol that is switched on, and its form for clients. */
export interface DoorPlan {
  readonly name: ProtocolName;
  readonly title: string;
  readonly host: string;
  /** As configured; 0 takes a free one. */
  readonly port: number;
  /** The address from `HOST:PORT`. */
  addressOf(endpoint: string): string;
  /** What to say of it beside its address. */
  readonly remark: string | undefined;
  /** A command to try it. */
  exampleOf(endpoint: string): string | undefined;
}

/** The doors that the settings ask for. */
export function doorsOf(settings: Settings): DoorPlan[] {
  return protocols.flatMap((protocol): DoorPlan[] => {
    const { name, title } = protocol;
    const port = protocol.port(settings);
    if (port === 'off') return [];
    return [
      {
        name,
        title,
        host: settings.host,
        port,
        addressOf: (endpoint) => protocol.addressOf(endpoint),
        get remark() {
          const users = new Users(usersOfSettings(settings));
          return users.requires(protocol.usersOf ?? name) ? undefined : protocol.openRemark;
        },
        exampleOf: (endpoint) => protocol.exampleOf?.(endpoint),
      },
    ];
  });
}
