import type { PlantedBug } from './planted-bug.ts';

/** Bugs in the precedence among consumers. */
export const precedencePlantedBugs: readonly PlantedBug[] = [
  {
    name: 'the lowest priority goes first',
    file: 'broker/groups/rota-by-priority.js',
    find: 'if (this.#levels[middle].priority > priority)',
    replace: 'if (this.#levels[middle].priority < priority)',
  },
  {
    name: 'a consumer with credit again waits for the end of the run of the others',
    file: 'broker/groups/rota-by-priority.js',
    find: 'if (attached === undefined)\n            this.#bringBack(this.#withoutCredit);',
    replace: 'if (attached === undefined)\n            ;',
  },
  {
    name: 'a level that was empty is not looked at again',
    file: 'broker/groups/rota-by-priority.js',
    find: 'this.#top = Math.min(this.#top, at);\n        return',
    replace: 'return',
  },
  {
    name: 'a single active consumer is chosen anew for each message',
    file: 'broker/groups/active-consumer.js',
    find: 'if (!this.#active)\n            return this.#first(',
    replace: 'if (true)\n            return this.#first(',
  },
  {
    name: 'no consumer takes over',
    file: 'broker/groups/active-consumer.js',
    find: 'if (!this.#active)\n            this.#choose();',
    replace: ';',
    tests: ['broker/groups/precedence.test.js'],
  },
  {
    name: 'a pull that ended stays in the way of one that lasts',
    file: 'broker/groups/active-consumer.js',
    find: 'return this.#choose(); // a pull',
    replace: '; // a pull',
    tests: ['broker/groups/precedence.test.js'],
  },
  {
    name: 'an answer is no sign of life',
    file: 'broker/groups/answers.js',
    find: 'this.#state.active?.answered(holder);',
    replace: ';',
  },
  {
    name: 'an exclusive consumer does not keep others away',
    file: 'broker/groups/consumers.js',
    find: 'if (this.#exclusive && !this.#exclusive.isOfMember(attached))',
    replace: 'if (false)',
  },
  {
    name: 'a consumer is exclusive to its own member, too',
    file: 'broker/groups/attachment.js',
    find: 'member !== undefined && consumer.member === member',
    replace: 'false',
    tests: ['broker/groups/precedence.test.js'],
  },
  {
    name: 'a group stays exclusive when its consumer has left',
    file: 'broker/groups/consumers.js',
    find: 'this.#exclusive = this.#otherExclusive();',
    replace: ';',
  },
];
