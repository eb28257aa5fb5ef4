/** An error that AWS knows, as data. */
export interface ErrorKind {
  /** The code in Query, and in the header `x-amzn-query-error`; SQS writes some with a prefix. */
  readonly code: string;
  /** SQS writes the code as `AWS.SimpleQueueService.CODE`. */
  readonly isPrefixed?: true;
  readonly status: number;
  /** The name of its shape in JSON. Absent: its name in the table. */
  readonly shape?: string;
  /** The text, if it is always the same. */
  readonly message?: string;
  /** The text in Query, if it is another one. */
  readonly queryMessage?: string;
}

/** The errors of SQS's model: shape, code and status as `awsQueryError` has them there. */
const modelled = {
  BatchEntryIdsNotDistinct: { code: 'BatchEntryIdsNotDistinct', isPrefixed: true, status: 400 },
  BatchRequestTooLong: { code: 'BatchRequestTooLong', isPrefixed: true, status: 400 },
  EmptyBatchRequest: { code: 'EmptyBatchRequest', isPrefixed: true, status: 400 },
  InvalidBatchEntryId: {
    code: 'InvalidBatchEntryId',
    isPrefixed: true,
    status: 400,
    message:
      'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
  },
  MessageNotInflight: { code: 'MessageNotInflight', isPrefixed: true, status: 400 },
  PurgeQueueInProgress: { code: 'PurgeQueueInProgress', isPrefixed: true, status: 403 },
  QueueDeletedRecently: {
    code: 'QueueDeletedRecently',
    isPrefixed: true,
    status: 400,
    message:
      'You must wait 60 seconds after deleting a queue before you can create another with the same name.',
  },
  QueueDoesNotExist: {
    code: 'NonExistentQueue',
    isPrefixed: true,
    status: 400,
    message: 'The specified queue does not exist.',
    queryMessage: 'The specified queue does not exist for this wsdl version.',
  },
  TooManyEntriesInBatchRequest: { code: 'TooManyEntriesInBatchRequest', isPrefixed: true, status: 400 },
  UnsupportedOperation: { code: 'UnsupportedOperation', isPrefixed: true, status: 400 },
  InvalidAddress: { code: 'InvalidAddress', status: 404 },
  InvalidAttributeName: { code: 'InvalidAttributeName', status: 400 },
  InvalidAttributeValue: { code: 'InvalidAttributeValue', status: 400 },
  InvalidIdFormat: { code: 'InvalidIdFormat', status: 400 },
  InvalidMessageContents: { code: 'InvalidMessageContents', status: 400 },
  InvalidSecurity: { code: 'InvalidSecurity', status: 403 },
  KmsAccessDenied: { code: 'KMS.AccessDeniedException', status: 400 },
  KmsDisabled: { code: 'KMS.DisabledException', status: 400 },
  KmsInvalidKeyUsage: { code: 'KMS.InvalidKeyUsageException', status: 400 },
  KmsInvalidState: { code: 'KMS.InvalidStateException', status: 400 },
  KmsNotFound: { code: 'KMS.NotFoundException', status: 400 },
  KmsOptInRequired: { code: 'KMS.OptInRequired', status: 403 },
  KmsThrottled: { code: 'KMS.ThrottlingException', status: 400 },
  OverLimit: { code: 'OverLimit', status: 403 },
  QueueNameExists: { code: 'QueueAlreadyExists', status: 400 },
  ReceiptHandleIsInvalid: { code: 'ReceiptHandleIsInvalid', status: 404 },
  RequestThrottled: { code: 'RequestThrottled', status: 403 },
  ResourceNotFoundException: { code: 'ResourceNotFoundException', status: 404 },
} as const;

/** Errors of the framework below all services, which every operation may have. */
const common = {
  AccessDenied: { code: 'AccessDenied', status: 403, shape: 'AccessDeniedException' },
  IncompleteSignature: { code: 'IncompleteSignature', status: 400, shape: 'IncompleteSignatureException' },
  InternalFailure: { code: 'InternalFailure', status: 500 },
  InvalidAction: { code: 'InvalidAction', status: 400, shape: 'UnknownOperationException' },
  InvalidClientTokenId: {
    code: 'InvalidClientTokenId',
    status: 403,
    shape: 'UnrecognizedClientException',
    message: 'The security token included in the request is invalid.',
  },
  InvalidParameterValue: {
    code: 'InvalidParameterValue',
    status: 400,
    shape: 'InvalidParameterValueException',
  },
  MalformedInput: { code: 'MalformedInput', status: 400, shape: 'SerializationException' },
  MissingAction: { code: 'MissingAction', status: 400, shape: 'UnknownOperationException' },
  MissingAuthenticationToken: {
    code: 'MissingAuthenticationToken',
    status: 403,
    shape: 'MissingAuthenticationTokenException',
    message: 'Request is missing Authentication Token',
  },
  MissingParameter: { code: 'MissingParameter', status: 400, shape: 'MissingRequiredParameterException' },
  RequestExpired: { code: 'RequestExpired', status: 400, shape: 'RequestExpiredException' },
  ServiceUnavailable: { code: 'ServiceUnavailable', status: 503, shape: 'ServiceUnavailableException' },
  SignatureDoesNotMatch: { code: 'SignatureDoesNotMatch', status: 403, shape: 'InvalidSignatureException' },
  Throttling: { code: 'Throttling', status: 400, shape: 'ThrottlingException' },
} as const;

/** Errors of SNS that SQS does not have. */
const ofSns = {
  AuthorizationError: { code: 'AuthorizationError', status: 403 },
  FilterPolicyLimitExceeded: { code: 'FilterPolicyLimitExceeded', status: 403 },
  InvalidParameter: { code: 'InvalidParameter', status: 400 },
  NotFound: { code: 'NotFound', status: 404 },
  ParameterValueInvalid: { code: 'ParameterValueInvalid', status: 400 },
  ResourceNotFound: { code: 'ResourceNotFound', status: 404 },
  SubscriptionLimitExceeded: { code: 'SubscriptionLimitExceeded', status: 403 },
  TagLimitExceeded: { code: 'TagLimitExceeded', status: 400 },
  TopicLimitExceeded: { code: 'TopicLimitExceeded', status: 403 },
  ValidationError: { code: 'ValidationError', status: 400 },
} as const;

export type AwsErrorName = keyof typeof modelled | keyof typeof common | keyof typeof ofSns;

/** All errors, by the name that this code has for them: that of the shape in the model, or the code. */
export const errorKinds: { readonly [name in AwsErrorName]: ErrorKind } = {
  ...modelled,
  ...common,
  ...ofSns,
};

/** Whether the error is of the framework, and not of the model of a service. */
export function isCommon(name: AwsErrorName): boolean {
  return Object.hasOwn(common, name);
}
