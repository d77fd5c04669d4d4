#!/usr/bin/env python3
"""Removes the single-write guard of one person (ai_dbg_single_write:<user id>), when it does not end by itself.

    REDIS_URL=redis://... scripts/purge_single_write.py USER_ID         shows the key and how long it still lasts
    REDIS_URL=redis://... scripts/purge_single_write.py USER_ID --yes   removes it

Harmless: the guard exists in development only, and the next AI write makes it anew. Standard library alone.
"""

import os
import socket
import sys
from urllib.parse import unquote, urlsplit

PREFIX = "ai_dbg_single_write:"
TIMEOUT_SECONDS = 5


def ask(url: str, *words: str) -> str:
    """One command; the first line of its reply without its mark."""
    parts = urlsplit(url)
    greeting = [["AUTH", *filter(None, [unquote(parts.username or ""), unquote(parts.password or "")])]]
    commands = [*(greeting if parts.password else []), ["SELECT", parts.path.strip("/") or "0"], list(words)]
    with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 6379), TIMEOUT_SECONDS) as connection:
        stream = connection.makefile("rwb")
        for command in commands:
            encoded = [word.encode() for word in command]
            stream.write(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded))
        stream.flush()
        replies = [stream.readline().decode().strip() for _ in commands]
    for reply in replies:
        if reply.startswith("-"):
            raise SystemExit(f"Valkey refuses: {reply[1:]}")
    return replies[-1][1:]


def main(argv: list[str]) -> int:
    """Show or remove."""
    people = [word for word in argv if not word.startswith("--")]
    if len(people) != 1 or not os.environ.get("REDIS_URL") or set(argv) - {*people, "--yes"}:
        sys.stderr.write("usage: REDIS_URL=redis://... purge_single_write.py USER_ID [--yes]\n")
        return 2
    url, key = os.environ["REDIS_URL"], PREFIX + people[0]
    try:
        left = int(ask(url, "TTL", key))
        if left == -2:
            sys.stdout.write(f"{key} is not there\n")
        elif "--yes" in argv:
            ask(url, "DEL", key)
            sys.stdout.write(f"{key} removed\n")
        else:
            ends = "never ends" if left == -1 else f"ends in {left} s"
            sys.stdout.write(f"{key} {ends}; --yes removes it\n")
    except OSError as error:
        sys.stderr.write(f"Valkey does not answer: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
