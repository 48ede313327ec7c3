"""`python -m tests.stress --seconds N --seed S`; exit code 1 when an invariant was broken."""

import argparse
import asyncio
import secrets
import sys
from collections.abc import Sequence

from tests.stress.plan import make
from tests.stress.report import Violation
from tests.stress.run import stress
from tests.stress.tamper import TAMPERS
from tests.stress.world import world


def arguments(command: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.stress", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long the plan is (60)")
    parser.add_argument("--seed", type=int, help="what the plan is made from (a random one)")
    parser.add_argument("--counters", type=int, default=40, help="PVs that count, at 10 Hz each (40)")
    parser.add_argument("--scale", type=float, default=1, help="how many times as many sessions (1)")
    parser.add_argument("--spoil", choices=sorted(TAMPERS), help="spoil what a session receives: must be found")
    return parser.parse_args(command)


def main() -> int:
    chosen = arguments()
    seed = secrets.randbelow(1 << 32) if chosen.seed is None else chosen.seed
    plan = make(seed, chosen.seconds, chosen.counters, scale=chosen.scale)
    print(f"seed {seed}, plan {plan.digest}: {len(plan.scripts)} scripts, {len(plan.faults)} faults of the IOC",
          flush=True)  # fmt: skip
    tampers = {"steady0": TAMPERS[chosen.spoil]()} if chosen.spoil else {}
    try:
        with world(chosen.counters) as (ioc, server):
            print(asyncio.run(stress(plan, ioc, server, tampers)).text())
    except Violation as violation:
        print(violation.text(plan))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
