import type { Broker } from '../../broker/index.ts';
import type { Sqs } from '../sqs/sqs.ts';
import { Ledger } from './ledger.ts';
import { snsLimits, type SnsLimits } from './limits.ts';
import { SequenceNumbers } from './sequence.ts';
import { SnsTopics } from './topics.ts';

/** Is told when a subscription can no longer deliver its messages, and why. */
export type UndeliveredReport = (subscription: string, reason: unknown) => void;

/** What the operations of SNS stand on. */
export class Sns {
  readonly broker: Broker;
  /** The queues that subscriptions send to. */
  readonly sqs: Sqs;
  readonly topics: SnsTopics;
  readonly sequence: SequenceNumbers;
  readonly report: UndeliveredReport;
  readonly limits: SnsLimits;
  readonly ledger: Ledger;

  constructor(sqs: Sqs, report: UndeliveredReport, limits?: Partial<SnsLimits>) {
    this.broker = sqs.broker;
    this.sqs = sqs;
    this.limits = { ...snsLimits, ...limits };
    this.ledger = new Ledger(sqs.broker, this.limits);
    this.topics = new SnsTopics(sqs.broker, this.limits);
    this.sequence = new SequenceNumbers(sqs.broker.clock);
    this.report = report;
  }
}
