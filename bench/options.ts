import { parseArgs } from 'node:util';
import { cases, type Case } from './cases/index.ts';
import { fullSettings, quickSettings, type Settings } from './settings.ts';

export const usage = `npm run bench -- [options]      (or: node dist/bench/main.js [options])

  --only IDS          cases to measure, by id or the start of one: core, jetstream-publish, start-up, …
  --list              print the cases and end
  --rounds N          turns per row, A B A B (default 5; with --quick 1)
  --seconds N         length of one measurement (default 2; with --quick 0.5)
  --quick             a rough look at everything
  --sizes N,N         payload sizes of the core cases (default 16,128,1024)
  --windows N,N       windows of the publish cases (default 1,64,1024,4096)
  --consumers N,N     connections of the consume case (default 1,4)
  --topics N,N        streams of the many-topics case (default 1,100,1000)
  --backlog N         messages of the backlog case (default 10000000)
  --servers NAMES     of pillarbox, before, users, configured, nats-server, synced, kafka, rabbitmq, quorum,
                      fauxqs, sqlite, elasticmq, h2 (default: all found)
  --pillarbox PATH    another build's dist/bundle/cli/main.js, in place of this one
  --before PATH       another build's dist/bundle/cli/main.js, measured beside this one
  --users             this build once more, with users and permissions for NATS and Kafka
  --configured FILE   this build once more, with this configuration file
  --dashboard         this build with its dashboard open; not the ones beside it
  --directory DIR     where data directories are made: its disk is measured (default: the system's temporary directory)
  --profile DIR       pillarbox writes a processor profile there for every time it is started
  --json FILE         every sample, as JSON
  --write             put the tables into bench/RESULTS.md
`;

/** The options of the command line. */
export interface Options {
  readonly help: boolean;
  readonly list: boolean;
  readonly cases: readonly Case[];
  readonly settings: Settings;
  readonly servers: readonly string[] | undefined;
  readonly pillarboxPath: string | undefined;
  readonly beforePath: string | undefined;
  readonly directory: string | undefined;
  readonly profileDirectory: string | undefined;
  readonly jsonFile: string | undefined;
  readonly write: boolean;
  readonly users: boolean;
  readonly configurationPath: string | undefined;
  readonly hasDashboard: boolean;
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;

export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: flag,
      list: flag,
      quick: flag,
      write: flag,
      users: flag,
      dashboard: flag,
      only: text,
      rounds: text,
      seconds: text,
      sizes: text,
      windows: text,
      consumers: text,
      topics: text,
      backlog: text,
      servers: text,
      pillarbox: text,
      before: text,
      configured: text,
      directory: text,
      profile: text,
      json: text,
    },
  });
  const base = values.quick ? quickSettings : fullSettings;
  return {
    help: values.help,
    list: values.list,
    cases: values.only === undefined ? cases : selectCases(values.only.split(',')),
    settings: {
      ...base,
      rounds: oneNumber('rounds', values.rounds) ?? base.rounds,
      seconds: oneNumber('seconds', values.seconds) ?? base.seconds,
      sizes: numbers('sizes', values.sizes) ?? base.sizes,
      windows: numbers('windows', values.windows) ?? base.windows,
      consumers: numbers('consumers', values.consumers) ?? base.consumers,
      topics: numbers('topics', values.topics) ?? base.topics,
      backlogMessages: oneNumber('backlog', values.backlog) ?? base.backlogMessages,
    },
    servers: values.servers?.split(','),
    pillarboxPath: values.pillarbox,
    beforePath: values.before,
    directory: values.directory,
    profileDirectory: values.profile,
    jsonFile: values.json,
    write: values.write,
    users: values.users,
    configurationPath: values.configured,
    hasDashboard: values.dashboard,
  };
}

function selectCases(wanted: readonly string[]): Case[] {
  const matches = (id: string, name: string): boolean => id === name || id.startsWith(`${name}-`);
  const unknown = wanted.find((name) => !cases.some((one) => matches(one.id, name)));
  if (unknown !== undefined) {
    throw new Error(`no case is called ${unknown}; there are ${cases.map((one) => one.id).join(', ')}`);
  }
  return cases.filter((one) => wanted.some((name) => matches(one.id, name)));
}

function numbers(name: string, value: string | undefined): number[] | undefined {
  return value?.split(',').map((part) => {
    const number = Number(part);
    if (part === '' || !(number > 0)) throw new Error(`--${name} needs numbers above 0, got ${value}`);
    return number;
  });
}

function oneNumber(name: string, value: string | undefined): number | undefined {
  const list = numbers(name, value);
  if (list !== undefined && list.length !== 1) throw new Error(`--${name} needs one number, got ${value}`);
  return list?.[0];
}
