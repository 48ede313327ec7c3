"""The command line of the simulated IOC."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from caproto.asyncio.server import start_server

from ioc_sim import pv_names
from ioc_sim.group import SimulatedIOC

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = "5064"


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    environ = os.environ
    port = environ.get("EPICS_CAS_SERVER_PORT") or environ.get("EPICS_CA_SERVER_PORT") or DEFAULT_PORT
    parser = argparse.ArgumentParser(prog="ioc_sim", description="A simulated IOC on EPICS Channel Access.")
    parser.add_argument("--prefix", default="SIM:", help="what all PV names begin with (default: %(default)s)")
    parser.add_argument("--list-pvs", action="store_true", help="print the PV names, one per line, and end")
    parser.add_argument("--interfaces", nargs="+", default=[LOOPBACK], metavar="ADDRESS", help="default: %(default)s")
    parser.add_argument("--port", type=int, default=int(port), help="UDP and TCP port (default: %(default)s)")
    parser.add_argument("--end-with-stdin", action="store_true", help="end with the program that holds standard input")
    parser.add_argument("--verbose", action="store_true", help="log what clients do")
    return parser.parse_args(arguments)


def configure(options: argparse.Namespace) -> None:
    """Tell caproto by its environment variables; on the loopback alone, beacons stay there too."""
    os.environ["EPICS_CA_SERVER_PORT"] = str(options.port)
    if all(ip_address(address).is_loopback for address in options.interfaces):
        os.environ["EPICS_CAS_AUTO_BEACON_ADDR_LIST"] = "NO"
        os.environ["EPICS_CAS_BEACON_ADDR_LIST"] = LOOPBACK
    logging.basicConfig(level="INFO" if options.verbose else "WARNING")
    logging.getLogger("caproto").setLevel("INFO" if options.verbose else "CRITICAL")


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM, or the end of standard input if that is wanted."""

    async def ready(async_lib: Any) -> None:
        print(f"ioc_sim: ready, prefix {options.prefix}", flush=True)

    channels = SimulatedIOC(options.prefix).channels
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    if options.end_with_stdin:
        stdin = sys.stdin.fileno()
        loop.add_reader(stdin, lambda: os.read(stdin, 1024) or end())
    await start_server(channels, interfaces=options.interfaces, startup_hook=ready)


def end() -> None:
    """At once: a task of caproto may ignore that it is cancelled, and asyncio would wait for it for ever."""
    sys.stdout.flush()
    os._exit(0)


def main() -> None:
    options = parse()
    if options.list_pvs:
        print(*pv_names(options.prefix), sep="\n")
        return
    configure(options)
    asyncio.run(serve(options))


if __name__ == "__main__":
    main()
