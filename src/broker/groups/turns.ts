/** Something that takes turns. It is in one list of turns at most, and links to its neighbours there. */
export interface TurnTaker<T extends TurnTaker<T>> {
  turns: Turns<T> | undefined;
  previousTurn: T | undefined;
  nextTurn: T | undefined;
}

/** A list of those that take turns; the first is next. Its operations are O(1). */
export class Turns<T extends TurnTaker<T>> {
  #first: T | undefined = undefined;
  #last: T | undefined = undefined;

  get first(): T | undefined {
    return this.#first;
  }

  /** Puts it at the end, out of the list that it was in. */
  append(taker: T): void {
    taker.turns?.remove(taker);
    taker.turns = this;
    taker.previousTurn = this.#last;
    taker.nextTurn = undefined;
    if (this.#last) this.#last.nextTurn = taker;
    else this.#first = taker;
    this.#last = taker;
  }

  /** Puts it at the front, out of the list that it was in. */
  prepend(taker: T): void {
    taker.turns?.remove(taker);
    taker.turns = this;
    taker.previousTurn = undefined;
    taker.nextTurn = this.#first;
    if (this.#first) this.#first.previousTurn = taker;
    else this.#last = taker;
    this.#first = taker;
  }

  remove(taker: T): void {
    if (taker.previousTurn) taker.previousTurn.nextTurn = taker.nextTurn;
    else this.#first = taker.nextTurn;
    if (taker.nextTurn) taker.nextTurn.previousTurn = taker.previousTurn;
    else this.#last = taker.previousTurn;
    taker.previousTurn = undefined;
    taker.nextTurn = undefined;
    taker.turns = undefined;
  }

  /** The first one goes to the end. */
  rotate(): void {
    if (this.#first !== this.#last) this.append(this.#first!);
  }

  /** Empties the list from its end, so that `prepend` into other lists keeps the order. */
  *takeAll(): IterableIterator<T> {
    for (let taker = this.#last; taker; taker = this.#last) {
      this.remove(taker);
      yield taker;
    }
  }
}
