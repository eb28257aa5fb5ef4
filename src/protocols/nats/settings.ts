import { pemFile, portOrOff, text, toggle, type SettingTable } from '../setting.ts';

/** The settings of NATS. */
export interface NatsDoorSettings {
  readonly natsPort: number | 'off';
  readonly natsUser: string | undefined;
  readonly natsPassword: string | undefined;
  readonly natsToken: string | undefined;
  readonly natsNoAuthUser: string | undefined;
  readonly natsTlsCert: string | undefined;
  readonly natsTlsKey: string | undefined;
  readonly natsTlsCa: string | undefined;
  readonly natsTlsFirst: boolean;
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
  natsNoAuthUser: text<string | undefined>({
    name: 'nats-no-auth-user',
    placeholder: 'NAME',
    default: undefined,
    help: 'the user of NATS clients that bring no credentials',
  }),
  natsTlsCert: pemFile('nats-tls-cert', 'certificate (PEM): NATS clients must use TLS'),
  natsTlsKey: pemFile('nats-tls-key', 'private key (PEM) of that certificate'),
  natsTlsCa: pemFile('nats-tls-ca', 'certificates (PEM) that those of NATS clients must be signed by'),
  natsTlsFirst: toggle({
    name: 'nats-tls-first',
    default: false,
    help: 'NATS clients begin with TLS (handshake first); otherwise they are greeted before it',
  }),
};
