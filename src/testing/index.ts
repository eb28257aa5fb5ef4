// The exports of the package 'pillarbox/testing'.
export type { Fate, SeenMessage, SpyEvent } from './event.ts';
export { Faults } from './faults.ts';
export type { Match } from './match.ts';
export { NotSeenError, Spy, type WaitOptions } from './spy.ts';
export { startTestKit, TestKit, type TestKitOptions } from './test-kit.ts';
