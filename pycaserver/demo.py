"""The simulated IOC of `pycaserver demo`: a process of its own, on loopback, that ends with us."""

import os
import socket
import subprocess
import sys
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Final, Self

from pycaserver.core.access import Rule
from pycaserver.dialects.commands import Command, MessageRule, Require, Step
from pycaserver.dialects.evok.device import Device, Point
from pycaserver.dialects.rtoc.mapping import RtocAction, RtocPlugin, RtocSignal

PREFIX: Final = "SIM:"
SHOWN: Final = [
    f"{PREFIX}CURRENT",
    f"{PREFIX}FLUX",
    f"{PREFIX}SHUTTER",
    f"{PREFIX}ENERGY:RBV",
    f"{PREFIX}T1",
    f"{PREFIX}SETPOINT",
    f"{PREFIX}MOTOR",
    f"{PREFIX}MOTOR:RBV",
    f"{PREFIX}VALVE",
    f"{PREFIX}STATE",
    f"{PREFIX}ALARM",
    f"{PREFIX}SPECTRUM",
]
"""A bit of everything: what is looked at first."""

DASHBOARD: Final = (
    f"#pv={','.join(SHOWN)}&plot=SIM:SETPOINT&chart=SIM:T1,SIM:SETPOINT;span=300&chart=SIM:SPECTRUM;as=wave"
)
"""The fragment with which the page shows them."""

NOT_RUNNING: Final = "Could not cancel server running as server is not running."
"""The words of the original."""


def evok_devices(prefix: str) -> list[Device]:
    """The devices that Evok's own examples ask for, and some more."""

    def pv(name: str, *, write: bool = False) -> Point:
        return Point(prefix + name, write)

    return [
        Device("do", "1_01", pv("VALVE", write=True), alias="valve"),
        Device("do", "1_02", pv("RECIPE:RUNNING", write=True)),
        Device("ro", "2_01", pv("RECIPE:ABORT", write=True)),
        Device("di", "1_01", pv("MOTOR:MOVING"), counter=pv("COUNTER")),
        Device("ai", "1_01", pv("T1"), mode=pv("ENUM", write=True)),
        Device("ai", "1_02", pv("COUNTER:FAST"), unit="V", range=(0.0, 10.0)),
        Device("ao", "1_01", pv("AO", write=True), mode="Voltage"),
        Device("ao", "1_02", pv("SETPOINT", write=True)),
        Device("led", "1_01", pv("RECIPE:RUNNING")),
        Device("temp", "28A1", pv("T1"), type="PV"),
        Device("register", "1_0", pv("LONG", write=True)),
    ]


def xovac_commands(prefix: str) -> list[Command]:
    """The three commands that XO-VAC+ publishes, on the simulated furnace."""
    recipe = f"{prefix}RECIPE:"
    running = Require(equals=1, pv=f"{recipe}RUNNING", otherwise=NOT_RUNNING)
    idle = Require(equals=0, pv=f"{recipe}RUNNING", otherwise="Could not load recipe as the server is already running.")
    return [
        Command(
            "cancel_recipe",
            require=running,
            steps=(Step(put=f"{recipe}ABORT", value=1), Step(wait=f"{recipe}RUNNING", equals=0)),
        ),
        Command(
            "load_recipe",
            require=idle,
            schema={"name": "string", "recipe": "array"},
            steps=(
                Step(put=f"{recipe}TEMPERATURES", from_="recipe[*][0]"),
                Step(put=f"{recipe}DURATIONS", from_="recipe[*][1]"),
            ),
        ),
        Command("sync_xovac_time", warning="Could not set the clock as no clock PV is configured."),
    ]


def xovac_messages(prefix: str) -> list[MessageRule]:
    """What the furnace does, told to all."""
    pvs = {"running": f"{prefix}RECIPE:RUNNING", "step": f"{prefix}RECIPE:STEP", "setpoint": f"{prefix}SETPOINT"}
    return [MessageRule("state", pvs), MessageRule("temperature", {"temperature": f"{prefix}T1"}, on=1.0)]


def rtoc_signals(prefix: str) -> list[RtocSignal]:
    """Signals of two devices."""
    return [
        RtocSignal("Cryostat", "T1", prefix + "T1"),
        RtocSignal("Cryostat", "Setpoint", prefix + "SETPOINT", write=True),
        RtocSignal("Simulation", "Alarm", prefix + "ALARM"),
        RtocSignal("Simulation", "Counter", prefix + "COUNTER"),
        RtocSignal("Simulation", "Sine", prefix + "SINE"),
        RtocSignal("Simulation", "Output", prefix + "AO", write=True),
    ]


SETTINGS: Final[dict[tuple[str, str], Any]] = {
    ("access", "writes"): True,
    ("access", "rule"): [
        Rule(pv=f"{PREFIX}*", allow="write"),
        Rule(pv="rtoc://*", allow="write"),
        Rule(pv="loc://*", allow="write"),
    ],
    ("history", "keep"): [
        f"{PREFIX}{name}" for name in ("T1", "SETPOINT", "COUNTER", "CURRENT", "FLUX", "GAUGE1", "GAUGE2")
    ],
    ("evok", "enabled"): True,
    ("evok", "device"): evok_devices(PREFIX),
    ("socketio", "enabled"): find_spec("socketio") is not None,
    ("socketio", "command"): xovac_commands(PREFIX),
    ("socketio", "message"): xovac_messages(PREFIX),
    ("rtoc", "enabled"): True,
    ("rtoc", "signal"): rtoc_signals(PREFIX),
    ("rtoc", "action"): [RtocAction("vent", ((f"{PREFIX}VALVE", 1),)), RtocAction("close", ((f"{PREFIX}VALVE", 0),))],
    ("rtoc", "plugin"): [RtocPlugin("Cryostat", (f"{PREFIX}SETPOINT",), ("vent", "close"))],
}
"""Everybody may write what is simulated; the dialects show it. A section of the file takes the place of all here."""


class SimulatedIOC:
    """Runs `python -m ioc_sim` on free ports while the context lasts."""

    def __init__(self) -> None:
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pv_names(self) -> list[str]:
        """The PVs that it serves, those to look at first before those of each type."""
        import ioc_sim

        return list(dict.fromkeys([*SHOWN, *ioc_sim.pv_names(PREFIX)]))

    @property
    def epics(self) -> dict[str, str]:
        """The variables with which a CA client finds it, and nothing else."""
        return {
            "EPICS_CA_ADDR_LIST": f"127.0.0.1:{self._port}",
            "EPICS_CA_AUTO_ADDR_LIST": "NO",
            "EPICS_CA_NAME_SERVERS": "",
        }

    def __enter__(self) -> Self:
        command = (sys.executable, "-m", "ioc_sim", "--prefix", PREFIX, "--end-with-stdin")
        port = str(self._port)
        environment = {**os.environ, "EPICS_CA_SERVER_PORT": port, "EPICS_CAS_SERVER_PORT": port}
        self._process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
