"""A real C IOC in this process: `python -m tests.c_ioc FILE.db MACROS [ACCESS.acf]`; iocsh commands on standard input.

`python -m epicscorelibs.ioc` cannot name an access security file before iocInit, and its prompt is Python's.
Each command is answered by its output and a line END; the IOC ends with its standard input.
"""

import ctypes
import sys

from epicscorelibs import ioc  # type: ignore[import-untyped]

READY = "IOC ready"
END = "-- end of command"


def start(database: str, macros: str, access: str = "") -> None:
    """Load the records (and the access rules, with the same macros) and start the IOC; raises RuntimeError."""
    ioc.iocshRegisterCommon()
    if ioc.dbLoadDatabase(b"base.dbd", ioc.DEFAULT_DBD_PATH.encode(), None):
        raise RuntimeError("base.dbd did not load")
    if ioc.registerRecordDeviceDriver(ioc.pdbbase):
        raise RuntimeError("record support did not register")
    if ioc.dbLoadRecords(database.encode(), macros.encode()):
        raise RuntimeError(f"{database} did not load")
    if access:
        ioc.ioc(f'asSetFilename("{access}")')
        ioc.ioc(f'asSetSubstitutions("{macros}")')
    if ioc.iocInit():
        raise RuntimeError("iocInit failed")


def say(line: str) -> None:
    """Print after whatever the C library still holds back, both on standard output."""
    ctypes.CDLL(None).fflush(None)
    print(line, flush=True)


def main() -> None:
    start(*sys.argv[1:])
    say(READY)
    for command in sys.stdin:
        ioc.ioc(command.strip())
        say(END)


if __name__ == "__main__":
    main()
