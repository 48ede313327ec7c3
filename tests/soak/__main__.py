"""`python -m tests.soak --seconds 7200 --rate 5000`; exit code 1 when an invariant was broken or something grows."""

import argparse
import asyncio
import json
import secrets
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from bench.report import conditions
from tests.soak.plot import plot
from tests.soak.samples import Sampler
from tests.soak.verdict import judge
from tests.stress.plan import Plan, make
from tests.stress.report import Outcome, Violation
from tests.stress.run import stress
from tests.stress.world import world

COUNTER_HZ: Final = 10


def arguments(command: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=7200, help="how long (7200)")
    parser.add_argument("--rate", type=int, default=5000, help="updates a second from the IOC (5000)")
    parser.add_argument("--seed", type=int, help="what the plan is made from (a random one)")
    parser.add_argument("--pace", type=float, default=10, help="how many times slower than the stress program (10)")
    parser.add_argument("--every", type=float, default=5, help="seconds between samples (5)")
    parser.add_argument("--output", type=Path, default=Path("build/soak"), help="folder for the files (build/soak)")
    return parser.parse_args(command)


def main() -> int:
    chosen = arguments()
    seed = secrets.randbelow(1 << 32) if chosen.seed is None else chosen.seed
    plan = make(seed, chosen.seconds, max(1, chosen.rate // COUNTER_HZ), pace=chosen.pace)
    chosen.output.mkdir(parents=True, exist_ok=True)
    print(f"soak: seed {seed}, plan {plan.digest}, {chosen.seconds:g} s at {chosen.rate} updates/s: "
          f"{len(plan.scripts)} scripts, {len(plan.faults)} faults of the IOC", flush=True)  # fmt: skip
    began = time.strftime("%Y-%m-%d %H:%M")
    try:
        with world(plan.counters) as (ioc, server):
            sampler = Sampler(server, chosen.every, chosen.output / "soak.csv")
            outcome = asyncio.run(stress(plan, ioc, server, beside=sampler.run))
    except Violation as violation:
        print(violation.text(plan))
        return 1
    return conclude(chosen, plan, sampler, outcome, began)


def conclude(chosen: argparse.Namespace, plan: Plan, sampler: Sampler, outcome: Outcome, began: str) -> int:
    """Print and write what came of it; the exit code."""
    verdict = judge(sampler.samples)
    print(outcome.text(), verdict.text(), sep="\n")
    document = {
        "conditions": conditions() | {"began": began}, "seed": plan.seed, "plan": plan.digest,
        "seconds": plan.seconds, "rate": chosen.rate, "flat": verdict.flat, "verdict": asdict(verdict),
        "done": outcome.done, "faults": outcome.faults, "messages": outcome.messages, "counted": outcome.counted,
        "merged_by_ioc": outcome.merged_by_ioc, "merged_late": outcome.merged_late, "unexplained": outcome.unexplained,
        "lost_at_first": outcome.lost_at_first,
    }  # fmt: skip
    (chosen.output / "soak.json").write_text(json.dumps(document, indent=1) + "\n")
    title = f"{plan.seconds / 60:g} minutes at {chosen.rate} updates/s, {len(plan.scripts)} scripts, seed {plan.seed}"
    plot(chosen.output / "soak.png", title, sampler.samples, plan.faults)
    return 0 if verdict.flat else 1


if __name__ == "__main__":
    sys.exit(main())
