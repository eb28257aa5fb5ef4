import type { Command } from 'commander';
import { parseDuration } from './format.ts';
import { option, orNone, rateOption, wholeNumberOption, withoutUndefined } from './options.ts';

/** The settings of a group that may change, as options of a command. */
export interface GroupSettingOptions {
  readonly filter?: readonly string[];
  readonly ackWait?: string;
  readonly backoff?: readonly string[];
  readonly maxDeliver?: string;
  readonly deadLetter?: string;
  readonly messageTtl?: string;
  readonly activeConsumers?: string;
  readonly activeSilence?: string;
  readonly priority?: string;
  readonly inactive?: string;
  readonly rate?: string;
  readonly burst?: string;
  readonly concurrency?: string;
  readonly maxInFlight?: string;
  readonly keyRunMax?: string;
  readonly keysPerConsumerMax?: string;
  readonly keyConcurrency?: string;
  readonly keyRate?: string;
  readonly keyBurst?: string;
  readonly heldMax?: string;
}

export function addGroupSettings(command: Command): Command {
  return command
    .option('--filter <pattern...>', 'only keys (subjects) that match, such as "orders.*" (default: all)')
    .option('--ack-wait <time>', 'how long a consumer may hold a message (default: 30s)')
    .option('--backoff <time...>', 'waits before the redeliveries, such as 1s 10s 1m (default: none)')
    .option('--max-deliver <count>', 'deliveries of a message before it is given up (default: no limit)')
    .option('--dead-letter <topic>', 'topic for messages that are given up (default: what the topic says)')
    .option('--message-ttl <time>', 'older messages are not delivered (default: no limit)')
    .option('--active-consumers <kind>', 'all, or single: one gets all messages (default: all)')
    .option('--active-silence <time>', 'another takes over from one that is silent so long (default: 2m)')
    .option('--priority <kind>', 'honour, or ignore: all in order of publish (default: honour)')
    .option('--inactive <time>', 'the group is removed after so long without a consumer (default: never)')
    .option('--rate <count>', 'most deliveries a second, such as 100/s (default: no limit)')
    .option('--burst <count>', 'of these, how many at once (default: those of a second)')
    .option('--concurrency <count>', 'most messages in flight, over all consumers and partitions')
    .option('--max-in-flight <count>', 'most messages in flight per partition')
    .option('--key-run-max <count>', 'most messages of one key with one consumer, in order (default: 1)')
    .option('--keys-per-consumer-max <count>', 'most keys that one consumer has at once')
    .option('--key-concurrency <count>', 'most messages of one key in flight; above 1 without an order')
    .option('--key-rate <count>', 'most deliveries of each key a second')
    .option('--key-burst <count>', 'of these, how many at once (default: those of a second)')
    .option('--held-max <count>', 'most messages held behind their keys, per partition (default: 10000)');
}

/** The settings that the options give, for the admin API; null for `none`. */
export function groupSettings(options: GroupSettingOptions): { readonly [name: string]: unknown } {
  const count = (flag: string, text: string | undefined): number | null | undefined =>
    orNone(text, (text) => wholeNumberOption(flag, text));
  const time = (flag: string, text: string | undefined): number | null | undefined =>
    orNone(text, (text) => option(flag, text, parseDuration, 'a time such as 30s or 5m'));
  const word = (text: string | undefined): string | null | undefined => orNone(text, (text) => text);
  return withoutUndefined({
    filters: isNone(options.filter) ? [] : options.filter,
    ackWaitMs: time('--ack-wait', options.ackWait),
    backoffMs: isNone(options.backoff) ? [] : options.backoff?.map((text) => time('--backoff', text)),
    maxDeliver: count('--max-deliver', options.maxDeliver),
    deadLetter: word(options.deadLetter),
    messageTtlMs: time('--message-ttl', options.messageTtl),
    activeConsumers: word(options.activeConsumers),
    activeSilenceMs: time('--active-silence', options.activeSilence),
    priority: word(options.priority),
    inactiveMs: time('--inactive', options.inactive),
    rate: rateOption('--rate', options.rate, '--burst', options.burst),
    concurrency: count('--concurrency', options.concurrency),
    maxInFlight: count('--max-in-flight', options.maxInFlight),
    keyRunMax: count('--key-run-max', options.keyRunMax),
    keysPerConsumerMax: count('--keys-per-consumer-max', options.keysPerConsumerMax),
    keyConcurrency: count('--key-concurrency', options.keyConcurrency),
    keyRate: rateOption('--key-rate', options.keyRate, '--key-burst', options.keyBurst),
    heldMax: count('--held-max', options.heldMax),
  });
}

function isNone(words: readonly string[] | undefined): boolean {
  return words?.length === 1 && words[0] === 'none';
}
