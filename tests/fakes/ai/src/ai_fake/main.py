"""Console entry. Importing this module starts nothing; the server's libraries load inside `main`."""

from __future__ import annotations

import argparse
import signal


def main(argv: list[str]) -> int:
    """Run the fake until it is told to stop; 0 after an orderly end."""
    parser = argparse.ArgumentParser(prog="ai_fake", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    args = parser.parse_args(argv)
    import uvicorn

    from ai_fake.app import create_app

    server = uvicorn.Server(
        uvicorn.Config(
            create_app(),
            host=args.host,
            port=args.port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=60,
        )
    )
    # uvicorn raises the signal that ended it once more after its orderly shutdown; an orderly end is ours to call 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        server.run()
    except SystemExit:  # uvicorn's way to say that the port is taken; it has logged so
        return 1
    return 0
