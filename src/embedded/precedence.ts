import { filledText, flag, wholeNumber, type Checks } from './options.ts';

/** The greatest priority of a consumer; the lowest is its negative. */
const consumerPriorityMax = 1000;

/** Which consumers of a group go before others. */
export interface PrecedenceOptions {
  /**
   * Consumers of a higher priority go first; the next get what these have no room for. A whole number from
   * -1,000 to 1,000. Default 0.
   */
  readonly priority?: number;
  /** The name of the member that this consumer belongs to: consumers with one name count as one. */
  readonly member?: string;
}

export interface ExclusiveOptions extends PrecedenceOptions {
  /**
   * Throws a BrokerError of code `consumer-exclusive` if the group has another consumer, and keeps others
   * from attaching until this one is closed. Default false.
   */
  readonly exclusive?: boolean;
}

export const precedenceChecks: Checks<PrecedenceOptions> = {
  priority: wholeNumber(-consumerPriorityMax, consumerPriorityMax),
  member: filledText,
};

export const exclusiveChecks: Checks<ExclusiveOptions> = { ...precedenceChecks, exclusive: flag };
