/** A UUID is its 16 bytes in base64url without padding, as printed by Kafka's own tools for topic ids. */
export type Uuid = string;

/** The id of a field that was not set. */
export const zeroUuid: Uuid = 'AAAAAAAAAAAAAAAAAAAAAA';

export const uuidBytes = 16;
/** Characters of 16 bytes in base64url. */
export const uuidLength = 22;
