import { portOrOff, text, type SettingTable } from '../setting.ts';

/** What can be set of NATS. */
export interface NatsDoorSettings {
  readonly natsPort: number | 'off';
  readonly natsUser: string | undefined;
  readonly natsPassword: string | undefined;
  readonly natsToken: string | undefined;
}

export const natsDoorSettings: SettingTable<NatsDoorSettings> = {
  natsPort: portOrOff({ name: 'nats-port', default: 4222, help: 'port for NATS clients, or off' }),
  natsUser: text<string | undefined>({
    name: 'nats-user',
    default: undefined,
    help: 'user name NATS clients must give',
  }),
  natsPassword: text<string | undefined>({
    name: 'nats-password',
    default: undefined,
    secret: true,
    help: 'password NATS clients must give (better set by environment: a flag shows in ps)',
  }),
  natsToken: text<string | undefined>({
    name: 'nats-token',
    default: undefined,
    secret: true,
    help: 'token NATS clients must give, instead of user and password',
  }),
};
