"""What a listener is told: in order, once, and with a look at what is stored where a note is missing."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sse_starlette import ServerSentEvent

from ai.generation.live import MAX_WAITING, Inbox, Note
from ai.generation.telling import Teller


def shown(events: Iterable[ServerSentEvent]) -> list[tuple[str | None, str | None, object]]:
    found = []
    for event in events:
        data = json.loads(str(event.data))
        found.append((event.event, event.id, data.get("text", data.get("restarted"))))
    return found


def piece(place: int, text: str | None) -> Note:
    return Note(place=place, text=text)


class TestNotes:
    def test_what_comes_together_is_told_together(self) -> None:
        teller = Teller(0)
        assert shown(teller.notes([piece(1, "a "), piece(2, "b "), piece(3, "c")])) == [("delta", "3.0", "a b c")]
        assert not teller.must_look

    def test_what_is_known_is_not_told_again(self) -> None:
        teller = Teller(2)
        assert shown(teller.notes([piece(1, "a"), piece(2, "b"), piece(3, "c")])) == [("delta", "3.0", "c")]

    def test_a_gap_is_looked_up_and_nothing_beyond_it_told(self) -> None:
        teller = Teller(0)
        assert shown(teller.notes([piece(1, "a"), piece(3, "c")])) == [("delta", "1.0", "a")]
        assert (teller.must_look, teller.place) == (True, 1)

    def test_a_piece_too_long_to_be_told_is_looked_up(self) -> None:
        teller = Teller(0)
        assert shown(teller.notes([Note(place=1, is_whole=False)])) == []
        assert teller.must_look

    def test_a_restart_stands_between_the_old_words_and_the_new(self) -> None:
        teller = Teller(0)
        assert shown(teller.notes([piece(1, "old"), piece(2, None), piece(3, "new")])) == [
            ("delta", "1.0", "old"),
            ("status", "2.0", True),
            ("delta", "3.0", "new"),
        ]

    def test_a_turn_is_told_once_and_the_end_is_looked_up(self) -> None:
        teller = Teller(4)
        running = Note(status="running", attempt=2)
        assert shown(teller.notes([running, running, piece(5, "x"), Note(status="succeeded", attempt=2)])) == [
            ("status", "4.1", False),
            ("delta", "5.0", "x"),
        ]
        assert teller.must_look


class TestInbox:
    async def test_one_who_reads_too_slowly_sees_a_gap(self) -> None:
        inbox = Inbox(is_live=True)
        for place in range(1, MAX_WAITING + 10):
            inbox.hear(json.dumps({"place": place, "text": "x"}).encode())
        teller = Teller(0)
        assert shown(teller.notes(await inbox.read(0.01))) == []
        assert teller.must_look

    async def test_silence_is_nothing(self) -> None:
        assert await Inbox().read(0.01) == []
