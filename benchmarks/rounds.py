"""What rounds of self-improvement are worth beside the same budget in one round, on examples/iterated.yaml.

Runs the study three ways: in rounds, in one round, and in one round with as many training steps as all rounds have together. Prints
what each student solves and the paired differences on the same test problems, over problems and training seeds. Runs that are there
already are only read, and a killed one goes on.

    python benchmarks/rounds.py [--folder runs/rounds]
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import isocost
from isocost import evaluating
from isocost.evaluating import Outcomes
from isocost.preparing.parts import known_parts
from isocost.results.rounds import outcomes_on_test
from isocost.store.rounds import round_folder
from isocost.studyfile import load_study

STUDY = Path(__file__).resolve().parents[1] / "examples" / "iterated.yaml"
STUDENT, CELL = "weak", "self@all"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("runs") / "rounds")
    folder = parser.parse_args().folder
    study = load_study(STUDY, (), known_parts())
    assert study.finetune is not None
    once, steps = ["finetune.rounds=1"], study.rounds * study.finetune.steps
    isocost.run(STUDY, folder / "iterated")
    isocost.run(STUDY, folder / "at-once", settings=once)
    isocost.run(STUDY, folder / "at-once-longer", settings=[*once, f"finetune.steps={steps}"])
    places = {f"round {number}": round_folder(folder / "iterated", number) for number in range(1, study.rounds + 1)}
    places |= {"one round": folder / "at-once", f"one round, {steps} steps": folder / "at-once-longer"}
    found: dict[str, list[Outcomes]] = {}
    for name, place in places.items():
        found[name] = outcomes_on_test(place, isocost.Run(place).results, study, STUDENT, CELL)
        shares = [sum(o.score or 0.0 for o in seed) / len(seed) for seed in found[name]]
        print(f"{name}: solves {', '.join(f'{100 * share:.1f}%' for share in shares)} by training seed")
    for left, right in itertools.combinations(reversed(found), 2):
        compared = evaluating.compare(
            found[left], found[right], student=STUDENT, split="test", metric="pass@1", left_cell=CELL, right_cell=CELL, setup=None
        )
        d = compared.difference
        value, low, high = (100 * (end or 0.0) for end in (d.value, d.low, d.high))
        print(f"{left} - {right}: {value:+.1f} points [{low:+.1f}, {high:+.1f}], n = {d.n}, detectable {100 * compared.detectable:.1f}")


if __name__ == "__main__":
    main()
