import { count, pemFile, portOrOff, tables, text, type SettingTable } from '../setting.ts';
import { problemOfVhost } from './vhosts/vhost-name.ts';

/** The settings of AMQP. */
export interface AmqpDoorSettings {
  readonly amqpPort: number | 'off';
  readonly amqpBindingsMax: number | undefined;
  readonly amqpVhosts: readonly string[] | undefined;
  readonly amqpUser: string | undefined;
  readonly amqpPassword: string | undefined;
  readonly amqpTlsCert: string | undefined;
  readonly amqpTlsKey: string | undefined;
  readonly amqpTlsCa: string | undefined;
}

export const amqpDoorSettings: SettingTable<AmqpDoorSettings> = {
  amqpPort: portOrOff({ name: 'amqp-port', default: 5672, help: 'port for AMQP clients, or off' }),
  amqpVhosts: tables<string>(checkVhosts, {
    name: 'amqp-vhosts',
    help: 'virtual hosts for AMQP clients besides "/"; those that are not there are created',
    expected: 'a list of names, such as ["test"]',
  }),
  amqpBindingsMax: count<number | undefined>(1_000_000_000, {
    name: 'amqp-bindings-max',
    default: undefined,
    help: 'exchanges and bindings of AMQP, durable or not, all together; each 64 bytes of keys and arguments count as one more (default: sized to memory)',
  }),
  amqpUser: text<string | undefined>({
    name: 'amqp-user',
    default: undefined,
    help: 'user name AMQP clients must give; default: that of NATS',
  }),
  amqpPassword: text<string | undefined>({
    name: 'amqp-password',
    default: undefined,
    secret: true,
    help: 'password AMQP clients must give (better set by environment: a flag shows in ps)',
  }),
  amqpTlsCert: pemFile('amqp-tls-cert', 'certificate (PEM): AMQP clients must use TLS'),
  amqpTlsKey: pemFile('amqp-tls-key', 'private key (PEM) of that certificate'),
  amqpTlsCa: pemFile('amqp-tls-ca', 'certificates (PEM) that those of AMQP clients must be signed by'),
};

function checkVhosts(names: readonly unknown[]): void {
  for (const name of names) {
    const problem = problemOfVhost(name);
    if (problem !== undefined) throw new Error(problem);
  }
}
