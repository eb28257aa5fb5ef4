/** What a request may be made of, whatever it means. */
export const limits = {
  /** Levels of arrays and objects; requests of SQS have 5. */
  jsonDepthMax: 16,
  /** Fields of a form. A batch of ten messages with ten attributes each has some 330. */
  formFieldsMax: 2_000,
  /** The largest index in the name of a field, such as 3 in `Attribute.3.Name`. */
  formIndexMax: 1_000,
} as const;
