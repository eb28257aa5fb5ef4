import { pemFile, portOrOff, type SettingTable } from '../setting.ts';

/** The settings of the management API of AMQP. */
export interface AmqpAdminDoorSettings {
  readonly amqpAdminPort: number | 'off';
  readonly amqpAdminTlsCert: string | undefined;
  readonly amqpAdminTlsKey: string | undefined;
  readonly amqpAdminTlsCa: string | undefined;
}

export const amqpAdminDoorSettings: SettingTable<AmqpAdminDoorSettings> = {
  amqpAdminPort: portOrOff({
    name: 'amqp-admin-port',
    default: 15_672,
    help: "port of RabbitMQ's management API, or off; off, too, without AMQP",
  }),
  amqpAdminTlsCert: pemFile('amqp-admin-tls-cert', 'certificate (PEM): the management API speaks https'),
  amqpAdminTlsKey: pemFile('amqp-admin-tls-key', 'private key (PEM) of that certificate'),
  amqpAdminTlsCa: pemFile(
    'amqp-admin-tls-ca',
    'certificates (PEM) that those of management clients must be signed by',
  ),
};
