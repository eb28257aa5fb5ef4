import { count, pemFile, portOrOff, text, type SettingTable } from '../setting.ts';

/** The settings of SQS. */
export interface SqsDoorSettings {
  readonly sqsPort: number | 'off';
  readonly sqsInFlightMax: number;
  readonly sqsAccessKey: string | undefined;
  readonly sqsSecretKey: string | undefined;
  readonly sqsTlsCert: string | undefined;
  readonly sqsTlsKey: string | undefined;
  readonly sqsTlsCa: string | undefined;
}

export const sqsDoorSettings: SettingTable<SqsDoorSettings> = {
  sqsPort: portOrOff({ name: 'sqs-port', default: 9324, help: 'port for SQS clients, or off' }),
  sqsInFlightMax: count<number>(100_000_000, {
    name: 'sqs-in-flight-max',
    default: 120_000,
    help: 'messages of one queue that SQS clients may have received and not deleted',
  }),
  sqsAccessKey: text<string | undefined>({
    name: 'sqs-access-key',
    default: undefined,
    help: 'access key id that SQS and SNS clients must sign with (default: the user for NATS)',
  }),
  sqsSecretKey: text<string | undefined>({
    name: 'sqs-secret-key',
    default: undefined,
    secret: true,
    help: 'secret access key that SQS clients must sign with (better set by environment: a flag shows in ps)',
  }),
  sqsTlsCert: pemFile('sqs-tls-cert', 'certificate (PEM): SQS clients must use https'),
  sqsTlsKey: pemFile('sqs-tls-key', 'private key (PEM) of that certificate'),
  sqsTlsCa: pemFile('sqs-tls-ca', 'certificates (PEM) that those of SQS clients must be signed by'),
};
