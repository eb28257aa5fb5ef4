import { deadLetterNames, topicDeadLetterNames, type Broker, type Topic } from '../../broker/index.ts';
import type { Reading } from './alarm.ts';
import { countText, messagesText, rateText, spanText, timeText } from './figures.ts';
import type { IsOn, Now } from './group-readings.ts';

/** A topic counts as full at this share of a limit, because its next message may be larger than the rest. */
const fullShare = 0.995;
/** A topic that drops its oldest messages is of concern while a group has not read this share of them. */
const unreadShare = 0.5;
/** A dead letter is in its topic this long after it was counted. */
const arrivalMs = 10_000;
/** The maximum number of dead-letter topics that a reason names. */
const lettersMax = 3;

/** What the evaluations of one topic remember: its dead letters, from the first after a quiet time. */
export interface TopicMemory {
  deadLettered: number;
  letters: { from: number; sinceMs: number; lastMs: number } | undefined;
}

/** The counter of dead letters begins with the broker, or with the topic. */
export function newTopicMemory(): TopicMemory {
  return { deadLettered: 0, letters: undefined };
}

/** Measures a topic by its rules. After `quietMs` without another dead letter, those before are history. */
export function readTopic(
  topic: Topic,
  memory: TopicMemory,
  now: Now,
  isOn: IsOn,
  { broker, quietMs }: { readonly broker: Broker; readonly quietMs: number },
): Reading[] {
  const readings: Reading[] = [];
  if (isOn('time-to-full')) readings.push(timeToFull(topic));
  if (isOn('dead-letters')) readings.push(deadLetters(topic, memory, now, broker, quietMs));
  return readings;
}

function timeToFull(topic: Topic): Reading {
  const stats = topic.stats();
  const { messagesMax, bytesMax, overflow } = topic.config;
  const value = isConcerned(topic) ? (isFull(topic) ? 0 : stats.timeToFullMs) : undefined;
  const limits = [
    ...(messagesMax === undefined ? [] : [`${countText(messagesMax)} messages`]),
    ...(bytesMax === undefined ? [] : [`${countText(bytesMax)} bytes`]),
  ].join(' or ');
  const then = {
    'drop-oldest': 'its oldest messages are dropped unread',
    reject: 'publishes are refused',
    wait: 'publishes wait for room',
  }[overflow];
  return {
    rule: 'time-to-full',
    value,
    tell: () => ({
      reason:
        value === 0
          ? `Topic "${topic.name}" is full: it has ${messagesText(stats.messages)} of at most ${limits}${topic.config.partitions > 1 ? ' a partition' : ''}, and ${then}.`
          : `Topic "${topic.name}" is full in ${spanText(value ?? 0)}, and ${then} then: it has ${messagesText(stats.messages)}, ${rateText(stats.inPerSecond)} come in and ${rateText(stats.removedPerSecond)} leave.`,
      remedy: `Add consumers, slow publishers down, or raise the limit of the topic; see pillarbox topics show ${topic.name}.`,
    }),
  };
}

/** Whether it matters that a topic becomes full. A topic that drops what all have read does its work. */
function isConcerned(topic: Topic): boolean {
  const { messagesMax, bytesMax, overflow } = topic.config;
  if (messagesMax === undefined && bytesMax === undefined) return false;
  if (overflow !== 'drop-oldest') return true;
  const unread = topic.durableCount * unreadShare;
  for (const group of topic.groups.values()) if (unread > 0 && group.info().durableLag >= unread) return true;
  return false;
}

function isFull({ config, partitions }: Topic): boolean {
  const { messagesMax = Infinity, bytesMax = Infinity } = config;
  return partitions.opened.some(
    ({ count, bytes }) => count >= messagesMax * fullShare || bytes >= bytesMax * fullShare,
  );
}

function deadLetters(
  topic: Topic,
  memory: TopicMemory,
  { wallMs, monotonicMs }: Now,
  broker: Broker,
  quietMs: number,
): Reading {
  const { deadLettered } = topic.stats();
  if (deadLettered > memory.deadLettered) {
    memory.letters ??= { from: memory.deadLettered, sinceMs: wallMs, lastMs: monotonicMs };
    memory.letters.lastMs = monotonicMs;
  } else if (memory.letters) {
    const sinceLastMs = monotonicMs - memory.letters.lastMs;
    const areGone = (): boolean => lettersOf(topic, broker).every(({ count }) => count === 0);
    if (sinceLastMs >= quietMs || (sinceLastMs >= arrivalMs && areGone())) memory.letters = undefined;
  }
  memory.deadLettered = deadLettered;
  const { letters } = memory;
  const arrived = letters && deadLettered - letters.from;
  return {
    rule: 'dead-letters',
    value: arrived,
    clearsAtOnce: true,
    tell: () => {
      const targets = lettersOf(topic, broker).filter(({ durableCount }) => durableCount > 0);
      const named = targets
        .slice(0, lettersMax)
        .map(({ name, durableCount }) => `"${name}" has ${countText(durableCount)}`)
        .join(', ');
      return {
        reason: `${messagesText(arrived ?? 0)} of topic "${topic.name}" became ${arrived === 1 ? 'a dead letter' : 'dead letters'} since ${timeText(letters?.sinceMs ?? 0)}${named === '' ? '' : `; ${named}`}.`,
        remedy: `See why they failed, then put them back: pillarbox dead-letters list ${targets[0]?.name ?? topic.name}, pillarbox dead-letters redrive ${targets[0]?.name ?? topic.name}.`,
      };
    },
  };
}

/** The dead-letter topics that this topic and its groups fill, as far as they exist. */
function lettersOf(topic: Topic, broker: Broker): Topic[] {
  const names = new Set(topicDeadLetterNames(topic));
  for (const group of topic.groups.values()) for (const name of deadLetterNames(group)) names.add(name);
  return [...names].flatMap((name) => broker.topic(name) ?? []);
}
