/** What a request may be made of, whatever it means. */
export const limits = {
  /** Levels of arrays and objects; requests of SQS have 5. */
  jsonDepthMax: 16,
  /** Fields of a form. A batch of ten messages with ten attributes each has some 330. */
  formFieldsMax: 2_000,
  /**
   * Parts of the name of a field; `SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType` has 6.
   */
  formNamePartsMax: 10,
} as const;
