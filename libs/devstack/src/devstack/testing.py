"""``./bidwright test``: the suites, each as the tool's own command, one after the other, with a summary at the end."""

from __future__ import annotations

import difflib
import os
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from devstack import binaries
from devstack.errors import UsageError

_NO_TESTS = 5  # pytest's exit code for an empty selection
# Two cores are the least that CI has, and much of the time goes into waiting for servers, mails and events.
_TWO_FILES = ("-n", "2", "--dist", "loadfile")
_HOMES = ("libs/*", "services/*", "tests/fakes/*")

Step = list[str]


@dataclass(frozen=True)
class Suite:
    """A named group of commands; ``steps`` is asked when it runs, since folders may be missing."""

    name: str
    steps: Callable[[Path], Iterable[Step]]
    in_default: bool = True


def _tool(root: Path, name: str) -> str:
    return str(root / ".venv" / "bin" / name)


def _sources(root: Path) -> list[str]:
    return sorted(str(found.relative_to(root)) for home in _HOMES for found in root.glob(f"{home}/src"))


def _folders(root: Path, kind: str) -> list[str]:
    return sorted(str(found.relative_to(root)) for home in _HOMES for found in root.glob(f"{home}/tests/{kind}"))


def _has_tests(root: Path, folders: Iterable[str]) -> list[str]:
    return [folder for folder in folders if (root / folder).is_file() or any((root / folder).rglob("test_*.py"))]


def _lint(root: Path) -> Iterable[Step]:
    yield [_tool(root, "ruff"), "check", "."]
    yield [_tool(root, "ruff"), "format", "--check", "."]
    yield [_tool(root, "mypy"), *_sources(root)]
    yield [_tool(root, "lint-imports")]


def _pytest(root: Path, folders: Iterable[str], *words: str) -> Iterable[Step]:
    chosen = _has_tests(root, folders)
    if chosen:
        yield [_tool(root, "pytest"), *words, *chosen]


def _unit(root: Path) -> Iterable[Step]:
    return _pytest(root, [*_folders(root, "unit"), "tests/deploy"], *_TWO_FILES)


def _integration(root: Path) -> Iterable[Step]:
    return _pytest(root, _folders(root, "integration"), *_TWO_FILES)


def _contract(root: Path) -> Iterable[Step]:
    return _pytest(root, ["tests/contract"])


def _e2e(root: Path) -> Iterable[Step]:
    return _pytest(root, ["tests/e2e"], "-m", "not browser", *_TWO_FILES)


def _browser(root: Path) -> Iterable[Step]:
    # Once in some fifteen runs a whole job in Chromium ends with a complaint on the console that no second run shows.
    # It is tried again, and the report says RERUN with what was complained of, until the cause is known.
    return _pytest(root, ["tests/e2e", "tests/browser"], "-m", "browser", "--reruns", "1", "-rR")


def _chaos(root: Path) -> Iterable[Step]:
    return _pytest(root, ["tests/chaos"])


def _web(root: Path) -> Iterable[Step]:
    if not (root / "web" / "package.json").exists():
        return
    _, npm = binaries.node_and_npm()
    yield [*npm, "run", "typecheck"]
    yield [*npm, "test"]


SUITES = (
    Suite("lint", _lint),
    Suite("unit", _unit),
    Suite("web", _web),
    Suite("integration", _integration),
    Suite("contract", _contract),
    Suite("e2e", _e2e),
    Suite("browser", _browser),
    Suite("chaos", _chaos, in_default=False),
)


def homeless_tests(root: Path) -> list[str]:
    """Test files that no suite would ever run."""
    covered = [root / name for name in ("tests/contract", "tests/deploy", "tests/e2e", "tests/browser", "tests/chaos")]
    covered += [root / folder for kind in ("unit", "integration") for folder in _folders(root, kind)]
    found = [file for top in ("libs", "services", "tests") for file in (root / top).rglob("test_*.py")]
    return sorted(str(file.relative_to(root)) for file in found if not any(file.is_relative_to(one) for one in covered))


def choose(names: list[str], root: Path | None = None) -> list[Suite]:
    """The suites of these names, in the order given; all of the default when there are none.

    What names files or folders under ``root`` are run together, as one more.
    """
    known = {suite.name: suite for suite in SUITES}
    paths = [name for name in names if "/" in name and root is not None and (root / name).exists()]
    if paths:
        names = [name for name in names if name not in paths]
        return [*(choose(names) if names else []), Suite("chosen", lambda top: _pytest(top, paths, *_TWO_FILES))]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"one of: {', '.join(known)}"
            raise UsageError(f"no tests are called {name}: {hint}")
    return [known[name] for name in names] or [suite for suite in SUITES if suite.in_default]


def run(root: Path, names: list[str]) -> int:
    """Run the suites; 0 when all passed. A failed one does not keep the others from running."""
    suites = choose(names, root)
    results: list[tuple[str, str, float]] = []
    for suite in suites:
        began = time.monotonic()
        outcome = _run_suite(root, suite)
        results.append((suite.name, outcome, time.monotonic() - began))
    print("\n" + "\n".join(f"{name:<12} {outcome:<8} {seconds:6.1f} s" for name, outcome, seconds in results))
    return 1 if any(outcome == "FAILED" for _, outcome, _ in results) else 0


def _run_suite(root: Path, suite: Suite) -> str:
    if suite.name == "web" and (root / "web" / "package.json").exists():
        _install_web(root)
    codes = [_run_step(root, step) for step in suite.steps(root)]
    if suite.name == "lint" and (homeless := homeless_tests(root)):
        print("no suite runs these tests: " + ", ".join(homeless))
        codes.append(1)
    if any(code not in (0, _NO_TESTS) for code in codes):
        return "FAILED"
    return "passed" if 0 in codes else "no tests"


def _run_step(root: Path, step: Step) -> int:
    words = [Path(word).name if word.startswith("/") else word for word in step]
    print(f"\n$ {' '.join(words)}", flush=True)
    cwd = root / "web" if "npm-cli.js" in " ".join(step) or words[0] == "npm" else root
    env = {**os.environ, "PATH": f"{binaries.require('node').parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    return subprocess.run(step, cwd=cwd, env=env, check=False).returncode


def _install_web(root: Path) -> None:
    import asyncio

    from devstack.web import WebApp

    asyncio.run(WebApp(root, root / ".venv" / "web-install.log", {}).ensure_installed())
