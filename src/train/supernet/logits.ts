/** The learnt logits and their optimiser: Adam (arXiv 1412.6980) with the betas of DARTS. */
import type { PerOption } from './distribution.js';

const BETA1 = 0.5;
const BETA2 = 0.999;
const EPSILON = 1e-8;

export class Logits {
  readonly #values: number[][];
  readonly #means: number[][];
  readonly #squares: number[][];
  #updates = 0;

  /** All options alike at first. @param options number of options of each decision. */
  constructor(options: readonly number[]) {
    const zeros = () => options.map((count) => new Array<number>(count).fill(0));
    [this.#values, this.#means, this.#squares] = [zeros(), zeros(), zeros()];
  }

  get values(): PerOption {
    return this.#values;
  }

  /** One step against the gradient. */
  update(gradient: PerOption, rate: number): void {
    this.#updates++;
    const [bias1, bias2] = [1 - BETA1 ** this.#updates, 1 - BETA2 ** this.#updates];
    this.#values.forEach((row, i) => {
      const [means, squares] = [this.#means[i] as number[], this.#squares[i] as number[]];
      row.forEach((_, j) => {
        const slope = gradient[i]?.[j] as number;
        const mean = BETA1 * (means[j] as number) + (1 - BETA1) * slope;
        const square = BETA2 * (squares[j] as number) + (1 - BETA2) * slope * slope;
        [means[j], squares[j]] = [mean, square];
        row[j] = (row[j] as number) - (rate * mean) / bias1 / (Math.sqrt(square / bias2) + EPSILON);
      });
    });
  }
}
