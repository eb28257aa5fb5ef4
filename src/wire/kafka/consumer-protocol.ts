import { Codec, type AnyCodec } from './codec.ts';
import { WireError } from './errors.ts';
import { Reader } from './reader.ts';
import type { Draft, Fields, Message } from './schema.ts';
import { Writer } from './writer.ts';

/*
 * Messages between the members of a classic consumer group, which the broker passes on as bytes:
 * `version:int16 message`. In JoinGroup they name the topics that a member wants, in SyncGroup the partitions
 * that it gets. A later, unknown version starts like the latest known one.
 */
const versions = { min: 0, max: 3 };
const flexible = { min: Infinity, max: -1 };

const subscription = {
  topics: { type: '[]string' },
  userData: { type: 'bytes', nullable: true, default: null },
  ownedPartitions: {
    type: '[]struct',
    versions: '1+',
    fields: {
      topic: { type: 'string' },
      partitions: { type: '[]int32' },
    },
  },
  generationId: { type: 'int32', versions: '2+', default: -1 },
  rackId: { type: 'string', versions: '3+', nullable: true, default: null },
} as const;

const assignment = {
  assignedPartitions: {
    type: '[]struct',
    fields: {
      topic: { type: 'string' },
      partitions: { type: '[]int32' },
    },
  },
  userData: { type: 'bytes', nullable: true, default: null },
} as const;

export type ConsumerSubscription = Message<typeof subscription>;
export type ConsumerAssignment = Message<typeof assignment>;

const subscriptionCodec = new Codec('Consumer subscription', subscription, versions, flexible);
const assignmentCodec = new Codec('Consumer assignment', assignment, versions, flexible);

/**
 * Throws a WireError. A group of another protocol type has other content here. Fields that the version should
 * have but the bytes lack are left out: @platformatic/kafka 1.35 declares version 1 and writes version 0.
 */
export function decodeConsumerSubscription(bytes: Buffer): ConsumerSubscription {
  try {
    return decode(subscriptionCodec, bytes, versions.max) as ConsumerSubscription;
  } catch (error) {
    if (error instanceof WireError && error.code === 'truncated') {
      return decode(subscriptionCodec, bytes, versions.min) as ConsumerSubscription;
    }
    throw error;
  }
}

export function decodeConsumerAssignment(bytes: Buffer): ConsumerAssignment {
  return decode(assignmentCodec, bytes, versions.max) as ConsumerAssignment;
}

export function encodeConsumerSubscription(version: number, draft: Draft<typeof subscription>): Buffer {
  return encode(subscriptionCodec, version, draft);
}

export function encodeConsumerAssignment(version: number, draft: Draft<typeof assignment>): Buffer {
  return encode(assignmentCodec, version, draft);
}

function decode(codec: AnyCodec, bytes: Buffer, versionMax: number): Message<Fields> {
  const reader = new Reader(bytes);
  const version = reader.int16();
  if (version < versions.min)
    throw new WireError('unsupported-version', `Consumer protocol of version ${version}.`);
  return codec.decode(reader, Math.min(version, versionMax)) as Message<Fields>;
}

function encode(codec: AnyCodec, version: number, draft: object): Buffer {
  const writer = new Writer();
  writer.int16(version);
  codec.encode(writer, version, draft);
  return Buffer.concat(writer.take());
}
