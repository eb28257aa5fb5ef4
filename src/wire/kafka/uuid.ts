/** A UUID is its 16 bytes in base64url without padding, as Kafka's own tools print topic ids. */
export type Uuid = string;

/** The id of nothing: what a field holds that was not set. */
export const zeroUuid: Uuid = 'AAAAAAAAAAAAAAAAAAAAAA';

export const uuidBytes = 16;
/** Characters that 16 bytes take in base64url. */
export const uuidLength = 22;
