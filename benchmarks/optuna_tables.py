#!/usr/bin/env python3
"""Optuna's samplers on published scores: the peer of benchmarks/published-tables.mjs, which drives it.

Takes one task as JSON on standard input and prints, for every seed, one line of JSON: the rows asked for
in their order, the row that Optuna takes for the best, and the seconds it took. Needs Optuna 3
(Debian: python3-optuna).

A query is what it is in src/search/queries.ts: a proposal that was evaluated before is neither charged
nor told, and Optuna is asked again, at most `asks` times; then the repeat is charged and told.
"""
import json
import sys
import time
import warnings

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")

SAMPLERS = {
    "optuna-tpe": lambda **options: optuna.samplers.TPESampler(**options),
    "optuna-tpe-multivariate": lambda **options: optuna.samplers.TPESampler(
        multivariate=True, **options
    ),
    "optuna-nsga2": lambda **options: optuna.samplers.NSGAIISampler(**options),
}


def search(task: dict, seed: int) -> dict:
    """One study: `options` holds the number of options per decision, `row` the row of each choice."""
    limit = task["limit"]
    constrained = limit is not None
    options = {"seed": seed}
    if constrained:
        options["constraints_func"] = lambda trial: (trial.user_attrs["latency"] - limit,)
    start = time.perf_counter()
    study = optuna.create_study(
        directions=["maximize", "minimize"] if task["pareto"] else ["maximize"],
        sampler=SAMPLERS[task["sampler"]](**options),
    )
    queried: list = []
    known: set = set()
    while len(queried) < task["queries"]:
        for attempt in range(1, task["asks"] + 1):
            trial = study.ask()
            code = 0
            for i, count in enumerate(task["options"]):
                code = code * count + trial.suggest_categorical(f"d{i}", list(range(count)))
            row = task["row"][code]
            if row not in known or attempt == task["asks"]:
                break
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        known.add(row)
        queried.append(row)
        if constrained:
            trial.set_user_attr("latency", task["latency"][row])
        trial.set_user_attr("row", row)
        guide = task["guide"][row]
        study.tell(trial, [guide, task["latency"][row]] if task["pareto"] else guide)
    complete = [t for t in study.trials if t.state == optuna.trial.TrialState.COMPLETE]
    feasible = [t for t in complete if max(t.system_attrs.get("constraints", [0])) <= 0]
    best = max(feasible, key=lambda t: t.values[0], default=None)
    return {
        "seed": seed,
        "queried": queried,
        "winner": None if best is None else best.user_attrs["row"],
        "seconds": time.perf_counter() - start,
    }


def main() -> None:
    task = json.load(sys.stdin)
    for seed in task["seeds"]:
        print(json.dumps(search(task, seed)), flush=True)


main()
