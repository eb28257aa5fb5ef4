import type { Command } from 'commander';
import { CliError, exitCode } from './exit-code.ts';
import { parseBytes, parseDuration } from './format.ts';
import { headerOption, option, orNone, rateOption, wholeNumberOption, withoutUndefined } from './options.ts';

/** The settings of a topic, as options of a command. */
export interface TopicSettingOptions {
  readonly subjects?: readonly string[] | false;
  readonly partitions?: string;
  readonly retention?: string;
  readonly overflow?: string;
  readonly publishRate?: string;
  readonly burst?: string;
  readonly overRate?: string;
  readonly priorities?: string;
  readonly ageing?: string;
  readonly maxMessages?: string;
  readonly maxBytes?: string;
  readonly maxAge?: string;
  readonly ageFrom?: string;
  readonly expiryMarker?: string;
  readonly markerHeader?: readonly string[];
  readonly maxPerKey?: string;
  readonly maxMessageBytes?: string;
  readonly dedupeWindow?: string;
  readonly sealed?: string;
}

export function addTopicSettings(command: Command): Command {
  return command
    .option('--subjects <pattern...>', 'subjects it captures, such as "orders.>" (default: none)')
    .option('--partitions <count>', 'how many partitions; may grow, never shrink (default: 1)')
    .option('--retention <kind>', 'limits, queue (deleted once acked) or interest (default: limits)')
    .option('--overflow <policy>', 'when full: drop-oldest, reject or wait (default: drop-oldest)')
    .option('--publish-rate <count>', 'most messages a second that are published to it (default: no limit)')
    .option('--burst <count>', 'of these, how many may come at once (default: those of a second)')
    .option('--over-rate <policy>', 'beyond the rate: reject or wait (default: reject)')
    .option('--priorities <count>', 'levels of priority, up to 256 (default: none)')
    .option('--ageing <time>', 'a message gains a level for each such time that it waits, such as 30s')
    .option('--max-messages <count>', 'most messages kept (default: no limit)')
    .option('--max-bytes <size>', 'most bytes kept, such as 10GiB (default: no limit)')
    .option('--max-age <time>', 'oldest message kept, such as 7d (default: no limit)')
    .option('--max-per-key <count>', 'most messages kept of each key (default: no limit)')
    .option('--max-message-bytes <size>', 'largest key, headers and value together (default: no limit)')
    .option(
      '--dedupe-window <time>',
      'how long ids of messages are remembered; 0s ignores them (default: 2m)',
    )
    .option('--sealed <yes|no>', 'refuse publishes (default: no)')
    .option(
      '--age-from <time>',
      'timestamp: ages count from timestamps of messages (default: from their arrival)',
    )
    .option('--expiry-marker <time>', 'a marker for so long where the last message of a key has expired')
    .option('--marker-header <name=value...>', 'the headers of a marker, which it needs');
}

/** The settings that the options give, for the admin API; null for `none`. */
export function topicSettings(options: TopicSettingOptions): { readonly [name: string]: unknown } {
  const count = (flag: string, text: string | undefined): number | null | undefined =>
    orNone(text, (text) => wholeNumberOption(flag, text));
  const time = (flag: string, text: string | undefined, example: string): number | null | undefined =>
    orNone(text, (text) => option(flag, text, parseDuration, `a time such as ${example}`));
  const size = (flag: string, text: string | undefined): number | null | undefined =>
    orNone(text, (text) => option(flag, text, parseBytes, 'a size such as 10GiB'));
  const word = (text: string | undefined): string | null | undefined => orNone(text, (text) => text);
  return withoutUndefined({
    subjects: options.subjects === false ? [] : options.subjects,
    partitions: wholeNumberOption('--partitions', options.partitions),
    retention: options.retention,
    overflow: options.overflow,
    publishRate: rateOption('--publish-rate', options.publishRate, '--burst', options.burst),
    overRate: word(options.overRate),
    priorities: count('--priorities', options.priorities),
    ageingMs: time('--ageing', options.ageing, '30s or 5m'),
    messagesMax: count('--max-messages', options.maxMessages),
    bytesMax: size('--max-bytes', options.maxBytes),
    ageMsMax: time('--max-age', options.maxAge, '30m or 7d'),
    messagesPerKeyMax: count('--max-per-key', options.maxPerKey),
    messageBytesMax: size('--max-message-bytes', options.maxMessageBytes),
    dedupeWindowMs: time('--dedupe-window', options.dedupeWindow, '2m'),
    sealed: option('--sealed', options.sealed, (text) => ({ yes: true, no: false })[text], 'yes or no'),
    ageFrom: word(options.ageFrom),
    ...expiryMarker(options),
  });
}

/** A marker needs `keyState`, which stays when the marker is taken away. */
function expiryMarker({ expiryMarker: text, markerHeader }: TopicSettingOptions): object {
  const flag = '--expiry-marker';
  const ttlMs = orNone(text, (given) => option(flag, given, parseDuration, 'a time such as 1h'));
  if (typeof ttlMs === 'number' && markerHeader !== undefined) {
    const headers = markerHeader.map((header) => headerOption('--marker-header', header));
    return {
      keyState: true,
      expiryMarker: { ttlMs, headers: headers.map(({ name, value }) => [name, value]) },
    };
  }
  if (typeof ttlMs === 'number' || markerHeader !== undefined)
    throw new CliError(exitCode.usage, '--expiry-marker and --marker-header need each other.');
  return { expiryMarker: ttlMs };
}
