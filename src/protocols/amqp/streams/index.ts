export { isStreamArgument, streamConsumer } from './consume.ts';
export { withOffset } from './offset-header.ts';
export { asksForStream, streamTopic } from './stream-arguments.ts';
export { offsetArgument } from './stream-offset.ts';
