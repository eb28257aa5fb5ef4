import { amqpDoorSettings, type AmqpDoorSettings } from './amqp/settings.ts';
import { amqpAdminDoorSettings, type AmqpAdminDoorSettings } from './amqp-admin/settings.ts';
import { kafkaDoorSettings, type KafkaDoorSettings } from './kafka/settings.ts';
import { natsDoorSettings, type NatsDoorSettings } from './nats/settings.ts';
import type { SettingTable } from './setting.ts';
import { sqsDoorSettings, type SqsDoorSettings } from './sqs/settings.ts';
import type { UserSettings } from './users/user-settings.ts';

export { usersSetting } from './users/settings.ts';

export {
  choice,
  count,
  duration,
  pemFile,
  port,
  size,
  tables,
  text,
  toggle,
  type Setting,
  type SettingTable,
} from './setting.ts';

/** The names of the protocols in the table. */
export type ProtocolName = 'nats' | 'kafka' | 'amqp' | 'amqpAdmin' | 'sqs';

/** Settings of the server that every protocol may read. */
export interface CommonSettings {
  readonly maxPayloadBytes: number;
  readonly users: readonly UserSettings[] | undefined;
}

/** The settings of the protocols. */
export interface ProtocolSettings
  extends NatsDoorSettings, KafkaDoorSettings, AmqpDoorSettings, AmqpAdminDoorSettings, SqsDoorSettings {}

export const protocolSettings: SettingTable<ProtocolSettings> = {
  ...natsDoorSettings,
  ...kafkaDoorSettings,
  ...amqpDoorSettings,
  ...amqpAdminDoorSettings,
  ...sqsDoorSettings,
};

export const protocolNames: readonly ProtocolName[] = ['nats', 'kafka', 'amqp', 'amqpAdmin', 'sqs'];

/** The flag that sets the port of a protocol: `--nats-port`. */
export function portFlag(name: ProtocolName): string {
  return `--${protocolSettings[`${name}Port`].name}`;
}
