"""Console entry. Importing this module starts nothing; the server's libraries load inside `main`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path


def main(argv: list[str]) -> int:
    """Run the fake until it is told to stop; 0 after an orderly end."""
    args = _parser().parse_args(argv)
    import uvicorn

    from stripe_fake.app import create_app
    from stripe_fake.config import Config

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if args.webhook_url and not args.webhook_secret:
        sys.stderr.write("stripe-fake: --webhook-url needs --webhook-secret, else nobody could verify the events.\n")
        return 2
    public_url = (args.public_url or f"http://{args.host}:{args.port}").rstrip("/")
    if args.webhook_ca and not Path(args.webhook_ca).is_file():
        sys.stderr.write(f"stripe-fake: --webhook-ca {args.webhook_ca}: there is no such file.\n")
        return 2
    ca = Path(args.webhook_ca).absolute() if args.webhook_ca else None
    config = Config(public_url, Path(args.state), args.webhook_url, args.webhook_secret, ca, args.tick)
    try:
        app = create_app(config)
    except OSError as problem:
        sys.stderr.write(f"stripe-fake: cannot use the state folder {args.state}: {problem}\n")
        return 1
    server = uvicorn.Server(
        uvicorn.Config(
            app, host=args.host, port=args.port, log_level="warning", access_log=False, timeout_graceful_shutdown=3
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stripe_fake", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--webhook-url", default="", help="where events are posted; empty: nowhere")
    parser.add_argument("--webhook-secret", default="", help="whsec_..., or a comma list during a rotation")
    parser.add_argument("--webhook-ca", default="", metavar="FILE", help="the certificate that the webhook is known by")
    parser.add_argument("--tick", type=float, default=60.0, metavar="SECONDS", help="how often to look for what is due")
    parser.add_argument("--state", required=True, metavar="DIR", help="where the fake remembers everything")
    parser.add_argument("--public-url", default="", help="the address under which a browser reaches the hosted pages")
    return parser
