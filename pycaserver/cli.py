"""The command line: serve (which is also the default), demo, check-config, token, watch."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, NoReturn

import pycaserver
from pycaserver import logs
from pycaserver.agreement import missing
from pycaserver.core.errors import PycaError
from pycaserver.settings import CONFIG_VARIABLE, Settings, SettingsError, Values, load, table

USAGE_ERROR: Final = 2
CANNOT_START: Final = 1


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and end the process. Exit codes: 0 done, 1 could not start or bad settings, 2 bad usage."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help", "--version")):
        given.insert(0, "serve")
    namespace = parser.parse_args(given)
    run: Callable[[argparse.Namespace], int] = namespace.run
    code = run(namespace)
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    logs.finish()
    os._exit(code)  # libca's own exit handlers can hang


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("pycaserver", description="EPICS process variables for web pages, as JSON.")
    parser.add_argument("--version", action="version", version=pycaserver.__version__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve PVs (what pycaserver does without a command)")
    serve.set_defaults(run=_serve)
    demo = commands.add_parser("demo", help="serve a simulated IOC on loopback, with nothing to configure")
    demo.set_defaults(run=_demo)
    for command in (serve, demo):
        _add_settings(command)
    check = commands.add_parser("check-config", help="say everything that is wrong with a settings file")
    check.add_argument("file", type=Path)
    check.add_argument("--explain", nargs=2, metavar=("USER", "PV"), help="say what decides about that user and PV")
    check.add_argument("--address", default="", help="with --explain: the address that the user comes from")
    check.set_defaults(run=_check_config)
    token = commands.add_parser("token", help="make a token, and the lines of the settings file for it")
    token.add_argument("user")
    token.set_defaults(run=_token)
    watch = commands.add_parser("watch", help="print the changes of PVs, through a server: a camonitor")
    watch.add_argument("url", help="the server, such as http://localhost:8888/")
    watch.add_argument("pv", nargs="+")
    watch.add_argument("--cafile", metavar="FILE", help="PEM file of certificates to trust (default: the system's)")
    watch.add_argument("--token-file", type=Path, metavar="FILE", help="file with the token that says who watches")
    watch.set_defaults(run=_watch)
    return parser


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", type=Path, metavar="FILE", help=f"TOML file of settings [{CONFIG_VARIABLE}]")
    for setting in table():
        default = ",".join(setting.default) if setting.is_list else setting.default
        note = f"{setting.help} (default: {default})" if default != "" else setting.help
        command.add_argument(setting.flag, dest=setting.name, metavar="VALUE", help=note.replace("%", "%%"))


def _settings(namespace: argparse.Namespace, otherwise: Values | None = None) -> Settings:
    file = namespace.config or os.environ.get(CONFIG_VARIABLE) or None
    flags = {setting.name: value for setting in table() if (value := getattr(namespace, setting.name)) is not None}
    return load(Path(file) if file else None, os.environ, flags, otherwise)


def _serve(namespace: argparse.Namespace) -> int:
    early: list[int] = []
    signal.signal(signal.SIGHUP, lambda number, _: early.append(number))  # otherwise it would end the process
    try:
        settings = _settings(namespace)
    except SettingsError as error:
        return _complain(error)

    def listening(url: str) -> None:
        print(f"pycaserver {pycaserver.__version__} listens on {url}", flush=True)
        for number in early[:1]:
            os.kill(os.getpid(), number)

    return _run(settings, listening, partial(_settings, namespace))


def _run(settings: Settings, listening: Callable[[str], None], reload: Callable[[], Settings] | None = None) -> int:
    from pycaserver.app import Server  # not for the commands that need no server

    if problems := list(missing(settings.server)):
        return _complain(SettingsError(problems))
    logs.set_up(settings.log.level, settings.log.format)
    os.environ.update(settings.epics)
    try:
        asyncio.run(Server(settings, reload).run(listening))
    except (OSError, RuntimeError) as error:
        print(f"pycaserver: cannot start: {error}", file=sys.stderr)
        return CANNOT_START
    return 0


def _demo(namespace: argparse.Namespace) -> int:
    from pycaserver import demo

    try:
        settings = _settings(namespace, demo.SETTINGS)
    except SettingsError as error:
        return _complain(error)
    with demo.SimulatedIOC() as ioc:
        settings.epics |= ioc.epics
        settings.pvs.names = settings.pvs.names or ioc.pv_names
        code = _run(settings, _greet)
        _hush()
    return code


def _greet(url: str) -> None:
    from pycaserver.demo import DASHBOARD

    print(f"\n  pycaserver demo: open {url}\n  or a page with charts: {url}{DASHBOARD}\n", flush=True)


def _hush() -> None:
    """All is said: libca would only complain that the simulated IOC has gone."""
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _check_config(namespace: argparse.Namespace) -> int:
    from pycaserver.advice import explain, notes

    try:
        settings = load(namespace.file, {}, {})
        user, pv = namespace.explain or ("", "")
        lines = list(explain(settings, user, pv, namespace.address)) if namespace.explain else []
    except SettingsError as error:
        return _complain(error)
    except PycaError as error:
        return _complain(SettingsError([error.message]))
    if problems := list(missing(settings.server)):
        return _complain(SettingsError(problems))
    for note in notes(settings):
        print(f"{namespace.file}: note: {note}")
    print(*lines, sep="\n", end="\n" if lines else "")
    if unreachable := settings.access.compiled().unreachable():
        return _complain(SettingsError(unreachable))
    print(f"{namespace.file}: no mistakes found")
    return 0


def _token(namespace: argparse.Namespace) -> int:
    from pycaserver.tokens import new_token, table_of

    try:
        token = new_token()
        table = table_of(namespace.user, token)
    except ValueError as error:
        return _complain(SettingsError([str(error)]))
    print(f"The token, shown this once; give it to {namespace.user}:\n\n    {token}\n")
    print(f"For the settings file, which keeps its hash only:\n\n{table}")
    return 0


def _watch(namespace: argparse.Namespace) -> int:
    from pycaserver.web.watch import watch

    try:
        token = namespace.token_file.read_text().strip() if namespace.token_file else None
        asyncio.run(watch(namespace.url, namespace.pv, partial(print, flush=True), namespace.cafile, token))
    except (KeyboardInterrupt, BrokenPipeError):
        return 0
    except (OSError, ValueError) as error:
        print(f"pycaserver: {error}", file=sys.stderr)
        return CANNOT_START
    return 0


def _complain(error: SettingsError) -> int:
    for problem in error.problems:
        print(f"pycaserver: {problem}", file=sys.stderr)
    return CANNOT_START
