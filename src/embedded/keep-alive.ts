/** Longest delay of a timer: about 24 days. */
const intervalMs = 2 ** 31 - 1;

/** Keeps the process running while a consumer waits for messages: a pending promise alone does not. */
export class KeepAlive {
  readonly #isOn: boolean;
  #holders = 0;
  #timer: NodeJS.Timeout | undefined;

  /** With `isOn` false it never does, as on a virtual clock. */
  constructor(isOn: boolean) {
    this.#isOn = isOn;
  }

  /** Returns the function that lets go; calling it twice does nothing. */
  hold(): () => void {
    if (this.#holders++ === 0 && this.#isOn) this.#timer = setInterval(() => {}, intervalMs);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (--this.#holders === 0) clearInterval(this.#timer);
    };
  }
}
