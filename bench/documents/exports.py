#!/usr/bin/env python3
"""What a document costs on its way out: PDF and Word of 3,000 words, 99 pages, two at once; peers beside them.

    .venv/bin/python bench/documents/exports.py [--no-peers] [--peer-python PYTHON]

Peers (weasyprint, reportlab, pandoc by pypandoc-binary) go into an environment of their own, which is thrown away; what
cannot be had is left out with a word. A peer and we set the same words, warm, in a process of each one's own. Times
depend on the machine; the ratios are what to compare. Exit code 1 when a figure is past its limit.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:] = [path for path in sys.path if Path(path).resolve() != HERE]  # this file is called as the service is
sys.path.insert(0, str(HERE.parent))

from measuring import PYTHON, Verdict  # noqa: E402  # after the path that leads to it

MIB = 1 << 20
SENTENCE = "The applicant shall describe each measure with its budget and outcome so that a partner may judge it."
WORDS = SENTENCE.rstrip(".").split()
PEERS = {"weasyprint": "weasyprint", "reportlab": "reportlab", "pandoc": "pypandoc-binary"}
PAGES_99_WORDS = 46_000
"""Sets to 99 pages in our template."""


def markdown(words: int) -> str:
    """Headings, paragraphs, lists and tables of about so many words."""
    out, count = [], 0
    while count < words:
        block = len(out) % 10
        if block == 0:
            out.append(f"## Part {len(out) // 10 + 1}")
        elif block == 4:
            out.append("\n".join(f"- **{WORDS[n]}** {SENTENCE}" for n in range(4)))
            count += 4 * len(WORDS)
        elif block == 7:
            out.append("| a | b |\n|:--|--:|\n" + "\n".join(f"| {SENTENCE} | {n} |" for n in range(4)))
            count += 4 * len(WORDS)
        else:
            out.append(" ".join([SENTENCE] * 4))
            count += 4 * len(WORDS)
    return "\n\n".join(out)


# ------------------------------------------------------------------ the child: one engine, warm, alone in its process


def ours(words: int, file_format: str) -> Callable[[], int]:
    """Our renderer; what it gives is the number of pages."""
    from exports.rendering.__main__ import render
    from exports.rendering.document import Document, Section

    parts = tuple(Section(f"Section {n}", markdown(words // 3)) for n in range(3))
    document = Document("A proposal", "An organisation", parts)
    return lambda: render(document, file_format).pages or 0  # type: ignore[arg-type]  # our own three names


def peer_weasyprint(words: int) -> Callable[[], int]:
    """HTML that means the same, to a tagged PDF."""
    import weasyprint
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark").enable("table").render(markdown(words))
    return lambda: len(weasyprint.HTML(string=html).write_pdf(pdf_variant="pdf/ua-1") or b"") and 0


def peer_reportlab(words: int) -> Callable[[], int]:
    """The same paragraphs by Platypus; reportlab makes no tagged PDF."""
    import io

    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    styles = getSampleStyleSheet()
    blocks = markdown(words).split("\n\n")

    def build() -> int:
        story = [Paragraph(block, styles["Heading2" if block.startswith("#") else "BodyText"]) for block in blocks]
        SimpleDocTemplate(io.BytesIO(), invariant=1).build(story)
        return 0

    return build


def peer_pandoc(words: int) -> Callable[[], int]:
    """Markdown to Word by pandoc."""
    import pypandoc

    text = markdown(words)

    def build() -> int:
        with tempfile.NamedTemporaryFile(suffix=".docx") as out:
            pypandoc.convert_text(text, "docx", "markdown", outputfile=out.name)
        return 0

    return build


def child(engine: str, words: int, times: int) -> None:
    """Prints the median of some runs after a first one, the pages and the peak memory."""
    import resource

    build = {
        "pdf": lambda: ours(words, "pdf"),
        "docx": lambda: ours(words, "docx"),
        "weasyprint": lambda: peer_weasyprint(words),
        "reportlab": lambda: peer_reportlab(words),
        "pandoc": lambda: peer_pandoc(words),
    }[engine]()
    begun = time.perf_counter()
    pages = build()
    first = time.perf_counter() - begun
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        build()
        spent.append(time.perf_counter() - begun)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"ms": 1000 * statistics.median(spent or [first]), "first": first, "pages": pages, "mib": peak}))


# ----------------------------------------------------------------------------------------------------- the parent


def measure(python: Path, engine: str, words: int, times: int) -> dict[str, float] | None:
    """One engine in a process of its own; None with a word when it does not run."""
    argv = [str(python), str(Path(__file__).resolve()), "--child", engine, str(words), str(times)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        print(
            f"  {engine}: left out: {done.stderr.strip().splitlines()[-1][:120] if done.stderr.strip() else 'failed'}"
        )
        return None
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def files_a_second(workers: int, files: int) -> float:
    """Files by the child process that production starts for each, so many at a time."""
    from exports.rendering.document import Document, Section

    body = Document("A proposal", "An organisation", (Section("All", markdown(9_000)),)).canonical().encode()
    with tempfile.TemporaryDirectory() as folder:

        def one(number: int) -> None:
            argv = [str(PYTHON), "-I", "-m", "exports.rendering", "pdf", f"{folder}/{number}", str(2 << 30), "60"]
            env = {"RAYON_NUM_THREADS": "2", "TMPDIR": folder}
            subprocess.run(argv, input=body, env=env, capture_output=True, check=True, timeout=120)

        begun = time.perf_counter()
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(one, range(files)))
        return files / (time.perf_counter() - begun)


def peers_environment(folder: Path) -> Path:
    """An environment with what can be had of the peers."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    for package in ("markdown-it-py", *PEERS.values()):
        done = subprocess.run(
            [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", package],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            print(f"  {package} cannot be had here")
    return python


def main() -> int:
    """Measures and compares."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--peer-python", type=Path, help="an environment that has the peers already")
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        engine, words, times = arguments.child
        child(engine, int(words), int(times))
        return 0
    verdict = Verdict()
    print("3,000 words, warm")
    pdf, word = (measure(PYTHON, engine, 3_000, arguments.times) for engine in ("pdf", "docx"))
    assert pdf is not None, "our own engine runs"
    assert word is not None, "our own engine runs"
    verdict("PDF", pdf["ms"], "ms")
    verdict("Word", word["ms"], "ms", most=250)
    long = measure(PYTHON, "pdf", PAGES_99_WORDS, 0)
    assert long is not None, "our own engine runs"
    print("99 pages, cold")
    verdict("pages", long["pages"], "")
    verdict("seconds for 99 of them", long["first"] * 99 / long["pages"], "s", most=2)
    verdict("peak memory", long["mib"], "MiB", most=350)
    print("two workers")
    one, two = files_a_second(1, 8), files_a_second(2, 8)
    verdict("of one's files a second", two / one, "x", least=1.4)
    if arguments.no_peers:
        return 1 if verdict.missed else 0
    print("peers, 3,000 words, warm")
    with tempfile.TemporaryDirectory() as folder:
        python = arguments.peer_python or peers_environment(Path(folder))
        for name in PEERS:
            peer = measure(python, name, 3_000, arguments.times)
            if peer is None:
                continue
            verdict(name, peer["ms"], "ms")
            if name == "weasyprint":
                verdict("our PDF is faster by", peer["ms"] / pdf["ms"], "x", least=5)
    return 1 if verdict.missed else 0


if __name__ == "__main__":
    sys.exit(main())
