import type { BrokerProcess } from './broker-process.ts';

/** The broker's output about damage and failures. After a crash of the process there must be none. */
export function complaintsOf(broker: BrokerProcess): string[] {
  return broker.output.split('\n').filter((line) => /damage|failed|Error|quarantine/i.test(line));
}
