import type { MemberCharge } from '../../../../src/protocols/kafka/groups/member-charge.ts';

/** Members of a group beside which there is always room. */
export const freeCharge: MemberCharge = { set: () => {}, refusalOf: () => undefined, close: () => {} };
