/** An Amazon Resource Name: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`. */
export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  /** Twelve digits, or empty. */
  readonly account: string;
  /** What is behind the fifth colon, with colons of its own: `topic:SUBSCRIPTION`. */
  readonly resource: string;
}

const arnCharactersMax = 2_048;

/** Undefined if the text is no ARN. */
export function parseArn(text: string): Arn | undefined {
  if (text.length > arnCharactersMax) return undefined;
  const match = /^arn:([a-z][a-z0-9-]*):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|aws|):([^\s]+)$/.exec(text);
  if (!match) return undefined;
  const [, partition = '', service = '', region = '', account = '', resource = ''] = match;
  return { partition, service, region, account, resource };
}
