"""The documentation is true as far as that can be seen without a running product; `test_docs_commands` runs it."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from billing.operate import __main__ as billing_operate
from common.operate import __main__ as operate
from contracts import SERVICES
from devstack import cli
from devstack.errors import StackError
from devstack.options import is_known
from gateway.edge.settings import EdgeSettings

from .docs_blocks import DOCS, OTHERS, PAGES, ROOT, SHELLS, Block, blocks_of, name_of, spans_of

BLOCKS = [block for page in PAGES for block in blocks_of(page)]
EVERYTHING = [*PAGES, *OTHERS]
ZENSICAL = Path(sys.executable).parent / "zensical"
TOP = ("libs", "services", "tests", "docs", "k8s", "observability", "scripts", "web", "bench", "docker", "envoy")
PATH = re.compile(rf"(?<![\w/.-])((?:{'|'.join(TOP)})/[\w./-]*\w)")
KEY = re.compile(r"(?<![\w./*<$-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?:_\*)?(?![\w<])")
CODE = ("*.py", "*.sh", "*.yaml", "*.ts", "*.sql", "Dockerfile", "bidwright", "*.env")
ELSEWHERE = {"CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"}
"""Named because they are not read any more."""
PRINTED_BY_ENV = re.compile(rf"({'|'.join(SERVICES).upper()})_(WORKER_)?(URL|DATABASE_URL|NATS_URL)")


def ids(page: Path) -> str:
    return name_of(page)


@pytest.fixture(scope="module")
def words_of_the_code() -> frozenset[str]:
    """Every word in capitals that the code has; of tests and benches only names that they define."""
    homes = [ROOT / name for name in (*TOP, "compose.yaml", "Dockerfile", ".env.example") if name != "docs"]
    files = [file for home in homes for file in ([home] if home.is_file() else _sources(home))]
    word = r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+"
    defined = rf"^({word})(?=\b.* =)"
    models = [importlib.import_module(f"{service}.settings").Settings for service in SERVICES]
    found = {name.upper() for model in (*models, EdgeSettings) for name in model.model_fields}
    for file in files:
        tested = {"tests", "bench"} & set(file.parts)
        found |= set(re.findall(defined if tested else word, file.read_text(), re.MULTILINE))
    return frozenset(found)


def _sources(home: Path) -> list[Path]:
    found = [file for pattern in CODE for file in home.rglob(pattern) if file.is_file()]
    return [file for file in found if not {"node_modules", "dist", ".venv"} & set(file.parts)]


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ZENSICAL, "build", "--strict"], cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )


class TestTheSite:
    @pytest.fixture
    def copy(self, tmp_path: Path) -> Path:
        shutil.copytree(DOCS, tmp_path / "docs")
        shutil.copy(ROOT / "zensical.toml", tmp_path)
        return tmp_path

    def test_is_built_strictly_and_asks_no_other_server(self, copy: Path) -> None:
        done = build(copy)
        assert done.returncode == 0, done.stdout + done.stderr
        pages = list((copy / "site").rglob("*.html"))
        assert len(pages) >= len(PAGES)
        for page in pages:
            loaded = re.findall(r'<(?:script|link|img|iframe)[^>]*?(?:src|href)="(https?:[^"]+)"', page.read_text())
            assert loaded == [], page

    @pytest.mark.parametrize("target", ["nowhere.md", "glossary.md#nowhere"])
    def test_a_link_that_leads_nowhere_fails_it(self, copy: Path, target: str) -> None:
        page = copy / "docs" / "glossary.md"
        page.write_text(page.read_text() + f"\n[x]({target})\n")
        assert build(copy).returncode != 0


class TestLinks:
    @pytest.mark.parametrize("page", EVERYTHING, ids=ids)
    def test_lead_to_files_that_are_there(self, page: Path) -> None:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
            assert "://" in target or (page.parent / target).exists(), target

    def test_the_index_leads_to_every_page(self) -> None:
        indexes = [DOCS / "README.md", DOCS / "runbook" / "README.md", DOCS / "decisions" / "README.md"]
        linked = {
            (index.parent / target).resolve()
            for index in indexes
            for target in re.findall(r"\]\(([^)#\s]+)", index.read_text())
        }
        assert {page for page in PAGES if page != indexes[0]} <= linked


class TestWhatIsNamed:
    @pytest.mark.parametrize("page", EVERYTHING, ids=ids)
    def test_files_are_there(self, page: Path) -> None:
        if page.name == "add-a-service.md":
            return  # it makes them; test_add_a_service follows it
        for span in spans_of(page):
            if "<" in span:
                continue
            for path in PATH.findall(span):
                assert (ROOT / path).exists() or list(ROOT.glob(f"services/*/{path}")), path

    @pytest.mark.parametrize("page", EVERYTHING, ids=ids)
    def test_modules_that_are_run_are_there(self, page: Path) -> None:
        for span in spans_of(page):
            for module in re.findall(r"\bpython3? (?:-I )?-m ([\w.]+)", span):
                if "notes" not in module:
                    assert importlib.util.find_spec(module) is not None, module

    @pytest.mark.parametrize("page", EVERYTHING, ids=ids)
    def test_commands_of_ours_take_these_words(self, page: Path) -> None:
        for span in spans_of(page):
            for line in re.findall(r"\./bidwright ([a-z][^|;&#>)\"]*(?:\"[^\"]*\"[^|;&#>)\"]*)*)", span):
                assert_taken(shlex.split(line.replace("...", " ").replace("KEY=VALUE", "DEBUG=1")))

    @pytest.mark.parametrize("page", EVERYTHING, ids=ids)
    def test_settings_exist(self, page: Path, words_of_the_code: frozenset[str]) -> None:
        for key in KEY.findall(page.read_text()):
            if key in ELSEWHERE or PRINTED_BY_ENV.fullmatch(key):
                continue
            if key.endswith("_*"):
                assert any(word.startswith(key[:-1]) for word in words_of_the_code), key
            else:
                assert is_known(key) or key in words_of_the_code, key


def assert_taken(words: list[str]) -> None:
    """That `./bidwright` takes these words; a lone command is its name."""
    if len(words) == 1:
        words = [*words, "--help"]
    parsers = {
        "jobs": lambda rest: operate.parser().parse_args(["jobs", *rest]),
        "events": lambda rest: operate.parser().parse_args(["events", *rest]),
        "billing": lambda rest: billing_operate._parser().parse_args(rest),
    }
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            cli.parser().parse_args(["--root", str(ROOT), *words])
            if words[0] in parsers and words[1:] != ["--help"]:
                parsers[words[0]](words[1:])
    except SystemExit as ended:
        if ended.code and "--help" not in words and "required" in said.getvalue():
            assert_taken([*words, "--help"])  # text names a command without saying with what
        elif ended.code:
            pytest.fail(f"{words}: {said.getvalue()}")
    except StackError as error:
        pytest.fail(f"{words}: {error}")


class TestBlocks:
    @pytest.mark.parametrize("page", PAGES, ids=ids)
    def test_no_command_hides_in_a_block_of_another_language(self, page: Path) -> None:
        for language, text in re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
            if language not in SHELLS:
                assert not re.search(r"^(\$ |\./bidwright|docker |kubectl |curl )", text, re.MULTILINE), text

    @pytest.mark.parametrize("block", BLOCKS, ids=str)
    def test_are_what_a_shell_can_read(self, block: Block) -> None:
        assert block.script.strip(), f"no command in {block.text!r}"
        done = subprocess.run(["bash", "-n"], input=block.script, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("block", [block for block in BLOCKS if block.excuse is not None], ids=str)
    def test_one_that_is_not_run_says_why(self, block: Block) -> None:
        assert len((block.excuse or "").split()) >= 3
        for path in PATH.findall(block.excuse or ""):
            assert (ROOT / path).exists(), path

    @pytest.mark.parametrize("block", BLOCKS, ids=str)
    def test_parts_of_compose_and_overlays_that_they_name_are_there(self, block: Block) -> None:
        services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
        for service in re.findall(r"docker compose (?:exec|logs|restart) ([a-z-]+)", block.script):
            assert service in services
        for overlay in re.findall(r"kubectl apply -k (\S+)", block.script):
            assert (ROOT / overlay / "kustomization.yaml").is_file()


class TestArchitecture:
    def test_its_picture_has_the_parts_of_compose(self) -> None:
        services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
        running = {name for name, one in services.items() if one.get("restart") == "unless-stopped"}
        picture = re.search(r"```text\n(.*?)```", (DOCS / "architecture.md").read_text(), re.DOTALL)
        assert picture is not None
        words = set(re.findall(r"[a-z]+(?:-[a-z]+)*", picture.group(1)))
        assert running - {"telemetry"} <= words
        assert set(SERVICES) <= words


class TestTasks:
    def test_each_calls_a_command_that_is_there(self) -> None:
        tasks = json.loads((ROOT / ".vscode" / "tasks.json").read_text())["tasks"]
        assert tasks
        for task in tasks:
            program, *words = shlex.split(task["command"])
            assert program == "./bidwright", task["label"]
            assert_taken(words)
            for path in words[1:] if words[0] == "test" else ():
                assert (ROOT / path).exists(), path


class TestChangelog:
    def test_has_the_form_that_it_says(self) -> None:
        text = (ROOT / "CHANGELOG.md").read_text()
        assert "keepachangelog.com" in text
        versions = re.findall(r"^## (.*)$", text, re.MULTILINE)
        assert versions[0] == "Unreleased"
        assert all(re.fullmatch(r"Unreleased|\[?\d+\.\d+\.\d+\]? - \d{4}-\d\d-\d\d", one) for one in versions)
        kinds = re.findall(r"^### (.*)$", text, re.MULTILINE)
        assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
