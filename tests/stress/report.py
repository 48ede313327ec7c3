"""What a run tells: a summary when all has held, or where, when and how an invariant was broken."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.stress.plan import Plan
from tests.stress.resources import Resources


class Violation(Exception):
    """An invariant was broken: what, who has seen it, at which second, and the last messages."""

    log: Sequence[str] = ()
    """The last lines of the server's log."""

    def __init__(self, what: str, session: str, at: float, last: Sequence[str] = ()) -> None:
        super().__init__(what)
        self.what, self.session, self.at, self.last = what, session, at, list(last)

    def text(self, plan: Plan) -> str:
        """For people, with what is needed to see it again."""
        lines, log = ("\n".join(f"    {line}" for line in each) for each in (self.last, self.log))
        return (
            f"VIOLATION: {self.what}\n"
            f"seed {plan.seed}, {plan.seconds:g} s, plan {plan.digest}: {self.session} at {self.at:.3f} s\n"
            f"its last messages:\n{lines or '    none'}\n"
            f"the server's last lines:\n{log or '    none'}"
        )


@dataclass
class Outcome:
    """What a run that went well has done."""

    plan: Plan
    done: Counter[str] = field(default_factory=Counter)
    """What sessions did, how often."""
    faults: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    counted: int = 0
    """Steps of one that were checked."""
    merged_by_ioc: int = 0
    merged_late: int = 0
    """Values that were merged for sessions that read all, when the server or this program could not run in time."""
    unexplained: int = 0
    """Values that the IOC could not be asked about, since it had been killed."""
    lost_at_first: int = 0
    """Subscriptions of the server that lost something as they began."""
    behind: float = 0.0
    """Seconds by which a session was late for its plan, at worst."""
    base: Resources | None = None
    end: Resources | None = None
    metrics: dict[str, float] = field(default_factory=dict)

    def text(self) -> str:
        """For people."""
        figures = self.metrics
        return "\n".join(
            [
                f"all invariants held: seed {self.plan.seed}, {self.plan.seconds:g} s, plan {self.plan.digest}",
                f"  sessions   {len(self.plan.scripts)} scripts, {figures['pycaserver_sessions_opened_total']:.0f}"
                f" sockets, {self.done.total()} deeds, at most {self.behind:.2f} s late",
                f"  faults     {_counts(self.faults) or 'none'}",
                f"  deeds      {_counts(self.done)}",
                f"  messages   {self.messages} received, {self.counted} steps of a counter checked,"
                f" {self.merged_by_ioc} values merged by the IOC, {self.unexplained} unexplained,"
                f" {self.merged_late} merged on a busy machine, {self.lost_at_first} lost as a subscription began",
                f"  server     lag at most {1000 * figures['pycaserver_loop_lag_max']:.0f} ms,"
                f" {figures['pycaserver_updates_merged_total']:.0f} values merged for slow sessions",
                f"  base line  {self.base}",
                f"  end        {self.end}",
            ]
        )


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counter.items()))
