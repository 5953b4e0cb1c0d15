/** Edits in terms of a space's decisions. */
import type { Json } from '../trial/trial.js';
import type { Rng } from '../util/random.js';
import type { Operators } from './agent.js';

/**
 * A copy with one decision taken otherwise, by one or two places where its options are ordered;
 * undefined where the decision does not apply or has one option.
 */
export function editDecision(
  operators: Operators,
  architecture: Json,
  decision: number,
  rng: Rng,
): Json | undefined {
  const choices = operators.choices(architecture);
  const { options, ordered } = operators.decisions[decision] as Operators['decisions'][number];
  const own = choices[decision] as number;
  if (own < 0 || options < 2) return undefined;
  const others = Array.from({ length: options }, (_, option) => option).filter(
    (option) => option !== own && (!ordered || Math.abs(option - own) <= 2),
  );
  return operators.fromChoices(complete(operators, choices.with(decision, rng.pick(others)), rng));
}

/** A copy of `from` that takes about half of what differs from `to` as it is there. */
export function editTowards(operators: Operators, from: Json, to: Json, rng: Rng): Json {
  const own = operators.choices(from);
  const target = operators.choices(to);
  const differing = rng.shuffle([...own.keys()].filter((i) => own[i] !== target[i]));
  const taken = new Set(differing.slice(0, Math.ceil(differing.length / 2)));
  const mixed = own.map((choice, i) => (taken.has(i) ? (target[i] as number) : choice));
  return operators.fromChoices(complete(operators, mixed, rng));
}

/** Decisions that two architectures take differently, among those that apply to both. */
export function differences(operators: Operators, a: Json, b: Json): number[] {
  const right = operators.choices(b);
  return operators
    .choices(a)
    .flatMap((choice, i) =>
      choice !== right[i] && choice >= 0 && (right[i] as number) >= 0 ? [i] : [],
    );
}

/** Decisions that do not apply get an option at random: they may apply once another has changed. */
function complete({ decisions }: Operators, choices: readonly number[], rng: Rng): number[] {
  return choices.map((choice, i) =>
    choice < 0 ? rng.integer(decisions[i]?.options as number) : choice,
  );
}
