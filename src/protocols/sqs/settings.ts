import { count, duration, pemFile, portOrOff, size, text, type SettingTable } from '../setting.ts';

/** The settings of SQS. */
export interface SqsDoorSettings {
  readonly sqsPort: number | 'off';
  readonly sqsInFlightMax: number;
  readonly sqsPurgeWaitMs: number;
  readonly sqsRecreateWaitMs: number;
  readonly snsMessageBytesMax: number;
  readonly snsTopicsMax: number;
  readonly snsSubscriptionsMax: number;
  readonly snsFifoSubscriptionsMax: number;
  readonly snsFilterPoliciesMax: number;
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
  sqsPurgeWaitMs: duration(3_600_000, {
    name: 'sqs-purge-wait',
    default: 0,
    help: 'time from a purge of an SQS queue to the next; AWS has 60s',
  }),
  sqsRecreateWaitMs: duration(3_600_000, {
    name: 'sqs-recreate-wait',
    default: 0,
    help: 'time from the deletion of an SQS queue to the next queue of its name; AWS has 60s',
  }),
  snsMessageBytesMax: size<number>(1024, 2 ** 20, {
    name: 'sns-message-max',
    default: 256 * 1024,
    help: 'largest message, and largest batch, of SNS',
  }),
  snsTopicsMax: count<number>(10_000_000, {
    name: 'sns-topics-max',
    default: 100_000,
    help: 'topics of SNS',
  }),
  snsSubscriptionsMax: count<number>(100_000, {
    name: 'sns-subscriptions-max',
    default: 1_000,
    help: 'subscriptions of a standard topic of SNS: a publish is written to all queues in one commit',
  }),
  snsFifoSubscriptionsMax: count<number>(100_000, {
    name: 'sns-fifo-subscriptions-max',
    default: 100,
    help: 'subscriptions of a FIFO topic of SNS',
  }),
  snsFilterPoliciesMax: count<number>(100_000, {
    name: 'sns-filter-policies-max',
    default: 200,
    help: 'subscriptions of a topic of SNS that have filter policies',
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
