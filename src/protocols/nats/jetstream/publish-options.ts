import type { Header, LiveMessage, PublishOptions } from '../../../broker/index.ts';
import { apiError } from './errors.ts';
import { headerText } from './headers.ts';
import { checkFeatureHeaders } from './publish-refusals.ts';
import type { StreamConfig } from './stream-config.ts';

/** Expectations that no stream can meet: what a number that is none stands for. */
const impossibleOffset = -2;

/**
 * What the headers of a publish ask of the core: dedupe, expectations, rollup. Undefined when they ask for
 * nothing. Throws the API error of the first one that cannot be met by this stream at all.
 */
export function publishOptions(
  headers: readonly Header[],
  stream: StreamConfig,
  message: LiveMessage,
): PublishOptions | undefined {
  if (!stream.allow_msg_counter && !headers.some(({ name }) => name.startsWith('Nats-'))) return undefined;
  checkFeatureHeaders(headers, stream, message.subject, () => {
    const expectedStream = headerText(headers, 'Nats-Expected-Stream');
    if (expectedStream !== undefined && expectedStream !== stream.name) throw apiError('streamNotMatch');
  });

  const dedupeId = headerText(headers, 'Nats-Msg-Id');
  const expectedLastDedupeId = headerText(headers, 'Nats-Expected-Last-Msg-Id');
  const expectedLastOffset = offsetOf(headerText(headers, 'Nats-Expected-Last-Sequence'));
  const expectedLastKeyOffset = offsetOf(headerText(headers, 'Nats-Expected-Last-Subject-Sequence'));
  const expectedLastKey = headerText(headers, 'Nats-Expected-Last-Subject-Sequence-Subject');
  if (expectedLastKey !== undefined && expectedLastKeyOffset === undefined) {
    throw apiError('expectedLastSubjectSequenceInvalid');
  }
  const replaces = replacedBy(headerText(headers, 'Nats-Rollup'), stream);
  return {
    ...(dedupeId === undefined ? {} : { dedupeId }),
    ...(expectedLastDedupeId === undefined ? {} : { expectedLastDedupeId }),
    ...(expectedLastOffset === undefined ? {} : { expectedLastOffset }),
    ...(expectedLastKeyOffset === undefined ? {} : { expectedLastKeyOffset }),
    ...(expectedLastKey === undefined ? {} : { expectedLastKey }),
    ...(replaces === undefined ? {} : { replaces }),
  };
}

/** A sequence as an offset: 0, "nothing yet", is -1. */
function offsetOf(sequence: string | undefined): number | undefined {
  if (sequence === undefined) return undefined;
  return /^\d{1,16}$/.test(sequence) ? Number(sequence) - 1 : impossibleOffset;
}

function replacedBy(
  value: string | undefined,
  { allow_rollup_hdrs: allowed }: StreamConfig,
): PublishOptions['replaces'] {
  if (value === undefined) return undefined;
  if (!allowed) throw apiError('rollupFailed', 'rollup not permitted');
  switch (value.toLowerCase()) {
    case 'sub':
      return 'key';
    case 'all':
      return 'topic';
    default:
      throw apiError('rollupFailed', `rollup value invalid: "${value.toLowerCase()}"`);
  }
}
