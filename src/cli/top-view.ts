import type { GroupJson, TopicJson } from '../admin-api/index.ts';

/** The orders of the tables, in the order in which the key goes through them. */
const sorts = ['rate', 'lag', 'oldest', 'messages', 'bytes', 'name'] as const;
export type Sort = (typeof sorts)[number];

/** What a key has changed: how the screen looks, or what has to be asked for. */
export type Pressed = 'nothing' | 'look' | 'question' | 'quit';

const keys = {
  up: ['\u001B[A', 'k'],
  down: ['\u001B[B', 'j'],
  enter: ['\r', '\n', '\u001B[C'],
  escape: ['\u001B', '\u001B[D'],
  backspace: ['\u007F', '\b'],
  quit: ['q', '\u0003', '\u0004'],
} as const;

function isKey(name: keyof typeof keys, key: string): boolean {
  return (keys[name] as readonly string[]).includes(key);
}

/** The state of `top` between its drawings: what a person has chosen by keys. */
export class TopView {
  #sort: Sort = 'rate';
  #filter = '';
  #isTyping = false;
  #isPaused = false;
  #selected = 0;
  #topic: string | undefined = undefined;
  /** The topics as they were last arranged, for the selection. */
  #names: readonly string[] = [];

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** The topic that is shown alone. */
  get topic(): string | undefined {
    return this.#topic;
  }

  /** The row of the selected topic; undefined where one topic is shown alone. */
  get selectedRow(): number | undefined {
    return this.#topic === undefined && this.#names.length > 0 ? this.#selected : undefined;
  }

  /** The keys that there are, with their state. */
  get footer(): string {
    if (this.#isTyping) return `filter: ${this.#filter}▏  enter keeps it, esc takes it away`;
    const filter = this.#filter === '' ? '/ filter' : `/ filter: ${this.#filter}`;
    const pause = this.#isPaused ? 'p go on (paused)' : 'p pause';
    const move = this.#topic === undefined ? '↑↓ select  enter open' : 'esc back';
    return `${move}  s sort: ${this.#sort}  ${filter}  ${pause}  q quit`;
  }

  press(key: string): Pressed {
    if (key === '\u0003') return 'quit';
    if (this.#isTyping) return this.#type(key);
    if (isKey('quit', key)) return 'quit';
    if (isKey('up', key)) return this.#select(this.#selected - 1);
    if (isKey('down', key)) return this.#select(this.#selected + 1);
    if (isKey('enter', key)) return this.#open();
    if (isKey('escape', key)) return this.#leave();
    if (key === '/') this.#isTyping = true;
    else if (key === 's') this.#sort = sorts[(sorts.indexOf(this.#sort) + 1) % sorts.length]!;
    else if (key === 'p' || key === ' ') {
      this.#isPaused = !this.#isPaused;
      return this.#isPaused ? 'look' : 'question';
    } else return 'nothing';
    return 'look';
  }

  arrangeTopics(topics: readonly TopicJson[]): readonly TopicJson[] {
    const arranged = topics
      .filter(({ name }) => (this.#topic === undefined ? this.#passes(name) : name === this.#topic))
      .sort(descending(topicOrders[this.#sort]));
    this.#names = arranged.map(({ name }) => name);
    this.#selected = Math.min(this.#selected, Math.max(0, arranged.length - 1));
    return arranged;
  }

  arrangeGroups(groups: readonly GroupJson[]): readonly GroupJson[] {
    return groups
      .filter(({ topic, name }) =>
        this.#topic === undefined ? this.#passes(topic) || this.#passes(name) : topic === this.#topic,
      )
      .sort(descending(groupOrders[this.#sort]));
  }

  #passes(name: string): boolean {
    return name.toLowerCase().includes(this.#filter.toLowerCase());
  }

  #type(key: string): Pressed {
    if (isKey('escape', key)) this.#filter = '';
    if (isKey('escape', key) || key === '\r' || key === '\n') this.#isTyping = false;
    else if (isKey('backspace', key)) this.#filter = this.#filter.slice(0, -1);
    else if (key.length === 1 && key >= ' ') this.#filter += key;
    return 'look';
  }

  #select(row: number): Pressed {
    if (this.#topic !== undefined) return 'nothing';
    this.#selected = Math.max(0, Math.min(row, this.#names.length - 1));
    return 'look';
  }

  #open(): Pressed {
    if (this.#topic !== undefined) return 'nothing';
    this.#topic = this.#names[this.#selected];
    return this.#topic === undefined ? 'nothing' : 'question';
  }

  #leave(): Pressed {
    if (this.#topic !== undefined) this.#topic = undefined;
    else this.#filter = '';
    return 'look';
  }
}

type Order<T> = (one: T) => number | string;

const topicOrders: { readonly [K in Sort]: Order<TopicJson> } = {
  rate: (topic) => topic.inPerSecond + topic.outPerSecond,
  lag: (topic) => topic.messages,
  oldest: (topic) => topic.oldestAgeMs ?? -1,
  messages: (topic) => topic.messages,
  bytes: (topic) => topic.bytes,
  name: (topic) => topic.name,
};

/** By rate, those with the largest lag come first: they are what the rate does not suffice for. */
const groupOrders: { readonly [K in Sort]: Order<GroupJson> } = {
  rate: (group) => group.lag + group.inFlight,
  lag: (group) => group.lag + group.inFlight,
  oldest: (group) => group.oldestAgeMs ?? -1,
  messages: (group) => group.delivered,
  bytes: (group) => group.lag,
  name: (group) => `${group.topic} ${group.name}`,
};

/** Numbers from the largest, names from the first. */
function descending<T>(order: Order<T>): (a: T, b: T) => number {
  return (a, b) => {
    const [left, right] = [order(a), order(b)];
    if (typeof left === 'number' && typeof right === 'number') return right - left;
    return left < right ? -1 : left > right ? 1 : 0;
  };
}

/** The keys of a chunk of input: `\u001B[A` is one. */
export function keysOf(input: string): readonly string[] {
  // oxlint-disable-next-line no-control-regex -- that is what a terminal sends
  return input.match(/\u001B\[[A-Z]|[\s\S]/g) ?? [];
}
