// The generator behind Python's `random` (MT19937; Matsumoto and Nishimura, 1998), as far as it takes
// to repeat a shuffle that was once made with it.

const SIZE = 624;
const OFFSET = 397;

export class Mersenne {
  #state = new Uint32Array(SIZE);
  #next = SIZE;

  /** As Python's `random.seed(key)` for a whole number below 2^32. */
  constructor(key) {
    const state = this.#state;
    state[0] = 19650218;
    for (let i = 1; i < SIZE; i++) state[i] = Math.imul(1812433253, mixed(state, i - 1)) + i;
    let i = 1;
    const advance = () => {
      i++;
      if (i < SIZE) return;
      state[0] = state[SIZE - 1];
      i = 1;
    };
    for (let k = 0; k < SIZE; k++) {
      state[i] = (state[i] ^ Math.imul(mixed(state, i - 1), 1664525)) + key;
      advance();
    }
    for (let k = 1; k < SIZE; k++) {
      state[i] = (state[i] ^ Math.imul(mixed(state, i - 1), 1566083941)) - i;
      advance();
    }
    state[0] = 0x80000000;
  }

  uint32() {
    if (this.#next === SIZE) this.#twist();
    let y = this.#state[this.#next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** As Python's `random.shuffle`, in place. */
  shuffle(items) {
    for (let i = items.length - 1; i > 0; i--) {
      const shift = Math.clz32(i + 1);
      let j = this.uint32() >>> shift;
      while (j > i) j = this.uint32() >>> shift;
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }

  #twist() {
    const state = this.#state;
    for (let i = 0; i < SIZE; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % SIZE] & 0x7fffffff);
      state[i] = state[(i + OFFSET) % SIZE] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }
}

const mixed = (state, i) => state[i] ^ (state[i] >>> 30);
