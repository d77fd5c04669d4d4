"""Redaction: what it finds in a labelled corpus, and what holds for its tokens whatever the text is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from ai.providers import prompting
from ai.providers.port import Passage, ProviderRequest, StructureRequest
from ai.providers.vendors.port import Prompt
from ai.providers.vendors.veiled import Veil
from ai.redaction.keeping import names_in
from ai.redaction.tokens import Redactor, find, normal

CORPUS = Path(__file__).parent / "corpus" / "people.txt"
LABEL = re.compile(r"⟦(?P<kind>\w+):(?P<value>[^⟧]*)⟧")
ORG, OTHER = UUID(int=1), UUID(int=2)
SECRET = b"k" * 32
RECALL = {"email": 1.0, "phone": 1.0, "iban": 1.0, "card": 1.0, "vat": 1.0, "id": 1.0, "person": 0.9}
PRECISION = 0.95

values = st.sampled_from(
    [
        "ada@example.org",
        "+44 20 7946 0958",
        "DE89 3704 0044 0532 0130 00",
        "Maria Santos",
        "4111 1111 1111 1111",
        "DE123456789",
    ]
)
texts = st.lists(st.one_of(st.text(max_size=30), values, st.sampled_from([" ", "\n", "[", "]", "Dr. ", "Name: "]))).map(
    "".join
)


def corpus() -> Iterator[tuple[str, list[tuple[str, int, int]]]]:
    """Each text with (kind, start, end) of what is labelled in it."""
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            spans, plain, at = [], "", 0
            for match in LABEL.finditer(line):
                plain += line[at : match.start()]
                spans.append((match["kind"], len(plain), len(plain) + len(match["value"])))
                plain += match["value"]
                at = match.end()
            yield plain + line[at:], spans


class TestCorpus:
    def test_recall_and_precision(self, record_property: Callable[[str, object], None]) -> None:
        """A label counts as found when nothing of it is left to be read; a find is right when it touches a label."""
        wanted, hit, found, right = Counter[str](), Counter[str](), 0, 0
        missed, wrong = [], []
        for text, spans in corpus():
            spotted = find(text)
            for kind, start, end in spans:
                wanted[kind] += 1
                covered = {place for one in spotted for place in range(one.start, one.end)}
                if all(place in covered or not text[place].isalnum() for place in range(start, end)):
                    hit[kind] += 1
                else:
                    missed.append((kind, text[start:end]))
            for one in spotted:
                found += 1
                if any(one.start < end and start < one.end for _, start, end in spans):
                    right += 1
                else:
                    wrong.append((one.kind, text[one.start : one.end]))
        recall = {kind: hit[kind] / wanted[kind] for kind in wanted}
        record_property("recall", recall)
        record_property("precision", right / found)
        print(f"\nrecall {recall}\nprecision {right / found:.3f} of {found}\nmissed {missed}\nwrong {wrong}")
        assert all(recall[kind] >= least for kind, least in RECALL.items()), missed
        assert right / found >= PRECISION, wrong


class TestTokens:
    @given(texts)
    def test_twice_is_the_same_as_once(self, text: str) -> None:
        once = Redactor(SECRET, ORG).redact(text)
        assert Redactor(SECRET, ORG).redact(once) == once

    @given(values, st.text(alphabet="abc .,\n", max_size=20), st.text(alphabet="abc .,\n", max_size=20))
    def test_a_value_has_one_token_in_all_texts_of_an_org_and_another_elsewhere(
        self, value: str, before: str, after: str
    ) -> None:
        (token,) = re.findall(r"\[\w+:[0-9a-f]{12}\]", Redactor(SECRET, ORG).redact(f"Tell {value} now."))
        assert token in Redactor(SECRET, ORG).redact(f"{before} {value} {after}")
        assert value not in Redactor(SECRET, ORG).redact(f"{before} {value} {after}")
        assert token not in Redactor(SECRET, OTHER).redact(f"Tell {value} now.")
        assert token not in Redactor(b"j" * 32, ORG).redact(f"Tell {value} now.")

    @given(texts)
    def test_the_finds_are_in_order_and_do_not_overlap(self, text: str) -> None:
        spotted = find(text)
        assert all(one.end <= other.start for one, other in pairwise(spotted))
        assert all(0 <= one.start < one.end <= len(text) for one in spotted)

    @pytest.mark.parametrize(
        ("kind", "one", "other"),
        [
            ("phone", "+44 (0)20 7946 0958", "0044 20 7946 0958"),
            ("email", "Ada@Example.org", "ada [at] example [dot] org"),
            ("iban", "DE89 3704 0044 0532 0130 00", "de89370400440532013000"),
            ("person", "Ada  Lovelace", "ada\nlovelace"),
        ],
    )
    def test_spellings_of_one_value_are_one(self, kind: str, one: str, other: str) -> None:
        assert normal(kind, one) == normal(kind, other)  # type: ignore[arg-type]  # kinds of the list above

    def test_what_is_kept_of_a_request(self) -> None:
        upload = "01920000-0000-7000-8000-000000000005"
        kept = Redactor(SECRET, ORG).redact_all({"answers": {"lead": "Maria Santos leads."}, "n": 3, "ids": [upload]})
        assert re.fullmatch(r"\[person:[0-9a-f]{12}\] leads\.", kept["answers"]["lead"])
        assert (kept["n"], kept["ids"]) == (3, [upload])

    def test_people_whose_curricula_an_org_has_are_known(self) -> None:
        names = names_in(["CV_Zorblax_Quendle.pdf", "Ymir Thrandok - Lebenslauf.docx", "Report.pdf"])
        assert names == ["Zorblax Quendle", "Ymir Thrandok"]
        assert "Quendle" not in Redactor(SECRET, ORG, names).redact("We rely on Quendle and on Ymir Thrandok.")


class Form(BaseModel):
    name: str


class TestVeil:
    REQUEST = ProviderRequest(
        kind="write",
        section_title="Team",
        answers={"who": "Maria Santos leads, maria@wells.example, and Maria Santos again. [person 1] is a field."},
        passages=[Passage("CV Maria Santos.pdf", 1, "Call +44 20 7946 0958.")],
    )

    def test_nothing_of_people_leaves_and_all_comes_back(self) -> None:
        veil = Veil(prompting.prompt_for(self.REQUEST))
        sent = veil.prompt.material
        assert not re.search(r"Santos|maria@|7946", sent)
        assert sent.count("[person 2]") == 3, "one number for one person, and none that the text has already"
        assert sent.count(f"<<<data {veil.prompt.boundary} ") == sent.count(f"<<<end {veil.prompt.boundary}>>>")
        assert (
            veil.lift("By [person 2], [email 1]; [phone 1].")
            == "By Maria Santos, maria@wells.example; +44 20 7946 0958."
        )

    @given(st.lists(st.integers(1, 7), min_size=1, max_size=30))
    def test_it_does_not_matter_where_the_answer_is_cut(self, cuts: list[int]) -> None:
        veil = Veil(prompting.prompt_for(self.REQUEST))
        answer = "By [person 2] ([email 1]) [call, p. 4] [person 9] [To complete: x] [pers"
        whole, at, lifted = answer * 2, 0, ""
        for cut in cuts:
            lifted += veil.lift(whole[at : at + cut])
            at += cut
        lifted += veil.lift(whole[at:]) + veil.rest()
        assert lifted == whole.replace("[person 2]", "Maria Santos").replace("[email 1]", "maria@wells.example")

    def test_an_answer_in_a_form_stays_readable(self) -> None:
        request = StructureRequest("plan", [Passage("call", 1, "Dr. Ada\nSantos signs.")], Form)
        veil = Veil(prompting.prompt_for_structure(request))
        assert Form.model_validate_json(veil.lift('{"name": "[person 1]"}')).name == "Ada\nSantos"

    @given(st.text(alphabet="0123456789abcdef", min_size=24, max_size=24))
    def test_the_word_that_marks_data_is_left_alone(self, boundary: str) -> None:
        prompt = Prompt(
            prompting.prompt_for(self.REQUEST).ref, "s", f"<<<data {boundary}>>>x<<<end {boundary}>>>", boundary
        )
        assert Veil(prompt).prompt.material.count(boundary) == 2
