/** The share that one group's members take of the broker's budget of members. */
export interface MemberCharge {
  set(size: number): void;
  /** The error if the members cannot take this much now; undefined if they can. */
  refusalOf(size: number): Error | undefined;
  close(): void;
}

/** Bytes of metadata that are included in the charge of a member; more bytes count as further members. */
const bytesPerCharge = 4096;

/** The charge for a member with this many bytes of metadata. */
export function chargeOfMember(bytes: number): number {
  return 1 + Math.floor(bytes / bytesPerCharge);
}

/** The charge for all of these members. */
export function chargeOfMembers(members: Iterable<{ readonly bytes: number }>): number {
  let charge = 0;
  for (const { bytes } of members) charge += chargeOfMember(bytes);
  return charge;
}

/** Bytes of the topic names in a subscription. */
export function bytesOfNames(names: readonly string[]): number {
  let bytes = 0;
  for (const name of names) bytes += name.length + 16; // a string's own header
  return bytes;
}
