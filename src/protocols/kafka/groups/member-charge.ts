/** What the members of one group take of the broker's budget of members. */
export interface MemberCharge {
  set(size: number): void;
  /** Why the members cannot take so much now; undefined: they can. */
  refusalOf(size: number): Error | undefined;
  close(): void;
}

/** So many bytes of metadata come with each member; more are charged as further members. */
const bytesPerCharge = 4096;

/** What a member with so many bytes of metadata is charged. */
export function chargeOfMember(bytes: number): number {
  return 1 + Math.floor(bytes / bytesPerCharge);
}

/** What members are charged together. */
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
