"""Documents that no person would write, of every kind of block, script and hostile text, and any layout."""

from __future__ import annotations

from hypothesis import strategies as st

from exports.rendering.document import Disclosure, Document, Section
from exports.rendering.layout import Layout

from .examples import HOSTILE

PLAIN = (
    r"water pump **bold** *it* ~~gone~~ `code` _x_ <b>html</b> | \\ # ` * _ ~ > < ![](x.png) ![alt](y.png) "
    "[a](https://x.org/y)"
)
WORLD = (
    "نص عربي שלום 漢字かな 한국어 हिन्दी ไทย 😀 👍🏽 👨‍👩‍👧 🇩🇪 "
    "e\u0301\u0301\u0301 \u202eright\u202c \u200d \ufeff \u0378 \ue000 \U00012000"
)
WORDS = st.one_of(
    st.sampled_from([*PLAIN.split(), "https://example.org/" + "u" * 200, "w" * 120]),
    st.sampled_from(WORLD.split(" ")),
    st.sampled_from(HOSTILE.split()),
    st.text(max_size=12),
)
LINE = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)


def _indented(prefix: str, text: str) -> str:
    return "\n".join(prefix + line for line in text.split("\n"))


def _table(cells: list[list[str]]) -> str:
    rows = ["| " + " | ".join(one.replace("\n", " ") for one in row) + " |" for row in cells]
    return "\n".join([rows[0], "|" + ":-:|" * len(cells[0]), *rows[1:]])


BLOCKS = st.recursive(
    st.one_of(
        LINE,
        st.tuples(st.integers(1, 6), LINE).map(lambda one: "#" * one[0] + " " + one[1]),
        LINE.map(lambda text: f"```py\n{text}\n```"),
        st.lists(st.lists(LINE, min_size=3, max_size=3), min_size=1, max_size=5).map(_table),
        st.just("---"),
        st.text(max_size=60),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map("\n\n".join).map(lambda text: _indented("> ", text)),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda items: "\n".join("- " + _indented("  ", one)[2:] for one in items)
        ),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda items: "\n\n".join(f"{at}. " + _indented("   ", one)[3:] for at, one in enumerate(items, 7))
        ),
    ),
    max_leaves=10,
)
LAYOUTS = st.builds(
    Layout,
    paper=st.sampled_from([None, "a4", "letter"]),
    margin_mm=st.sampled_from([None, 10, 20, 50]),
    font=st.sampled_from([None, "sans", "arial", "serif"]),
    size_pt=st.sampled_from([None, 8, 11.5, 16]),
    line_spacing=st.sampled_from([None, 1, 1.5, 2]),
    language=st.sampled_from([None, "de", "pt-BR", "ar"]),
    cover=st.booleans(),
    contents=st.booleans(),
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Any document that the service could be asked for."""
    sections = draw(
        st.lists(
            st.builds(Section, title=LINE, text=st.lists(BLOCKS, max_size=5).map("\n\n".join)), min_size=1, max_size=3
        )
    )
    disclosed = draw(st.booleans())
    disclosure = tuple(Disclosure("mixed", ("m",), (1, 2)) for _ in sections) if disclosed else None
    return Document(draw(LINE), draw(LINE), tuple(sections), draw(LAYOUTS), disclosure)
