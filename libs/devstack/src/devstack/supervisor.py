"""Starts the parts of a stack in order, keeps them running, and stops them in the reverse order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Iterable
from typing import Any

from devstack import cleanup, control, parts, processes
from devstack.builder import PartsBuilder, preloaded_packages
from devstack.errors import StackError
from devstack.keepers import Keeper, Part
from devstack.mailbox import MailboxServer
from devstack.nursery_client import NurseryClient
from devstack.nursery_pool import NurseryPool
from devstack.report import Progress, Report
from devstack.stack import MAILBOX, MARK, STRIPE_FAKE, Stack, worker
from devstack.together import run_together
from devstack.web import WebApp

# A stop has 10 s: the edge at once, then the services (which finish what runs), then the servers.
_SERVICES_STOP = 5.0
_SERVERS_STOP = 2.5
_ALL_STOP = 9.0  # `down` promises 10 s; what the others did not need, PostgreSQL has for its last checkpoint


class Supervisor:
    """One running stack."""

    def __init__(self, stack: Stack, report: Report) -> None:
        self.stack = stack
        self.report = report
        self.progress = Progress(report)
        self.keepers: dict[str, Keeper] = {}
        sources = [stack.root / name for name in ("libs", "services", "tests/fakes")]
        self.nurseries = NurseryPool(self._make_nursery, sources, self._write_state)
        self._watching: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._hurry = False
        self._phase = "starting"
        self._builder = PartsBuilder(stack, self.nurseries.current)
        self._mailbox = MailboxServer(stack.data.mailbox, stack.ports[MAILBOX])
        self._control = control.ControlServer(control.socket_path(stack.data), self.handle)

    def _make_nursery(self) -> NurseryClient:
        log, env = self.stack.data.log("nursery"), self.stack.base_env()
        return NurseryClient(packages=preloaded_packages(), log=log, env=env)

    # -- life ---------------------------------------------------------------------------------------------------------

    async def run(self) -> int:
        """From the first process to the last: returns the exit code after a stop was asked for."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal)
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        code, message = 0, ""
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            code, message = 130, "bidwright: stopped before it was ready"
        elif error := starting.exception():
            if not isinstance(error, StackError | OSError):
                await self._shutdown()
                raise error
            code, message = getattr(error, "exit_code", 1), f"bidwright: {error}"
        else:
            self._set_phase("running")
            self.report.done(0, self._welcome())
            await stopping
        stopping.cancel()
        await self._shutdown()
        if code:
            self.report.done(code, message)
        return code

    def _on_signal(self) -> None:
        self._hurry = self._stop.is_set()  # asked twice
        self._stop.set()
        if self._hurry:
            for keeper in self.keepers.values():
                if keeper.child is not None:
                    keeper.child.kill()

    async def _start(self) -> None:
        stack, data = self.stack, self.stack.data
        found = await asyncio.to_thread(cleanup.sweep, stack.stack_id, data.read_state())
        if found:
            self.report.line(f"{'clean-up':<16} ended {found} processes of a run that did not stop by itself")
        data.rotate_logs()
        await self._control.start()
        await self._mailbox.start()
        self._write_state()
        await self._start_parts()

    async def _start_parts(self) -> None:
        stack = self.stack
        await self.nurseries.start()
        self._watching = asyncio.create_task(self.nurseries.watch())
        web = asyncio.create_task(self._build_web())
        try:
            await self._start_all([self._builder.postgres(), self._builder.valkey()])
            nats_users = await self._timed("provision", self._builder.provision_database())
            await self._start_all([self._builder.nats(nats_users)])
            fake = [self._builder.stripe_fake()] if stack.stripe_is_fake else []
            await run_together(
                self._start_all(fake),
                self._timed("streams", self._builder.provision_streams()),
                *(self._timed(f"{service} schema", self._builder.migrate(service)) for service in parts.SERVICES),
            )
            pairs = [self._builder.service(service, kind) for service in parts.SERVICES for kind in ("app", "worker")]
            others = [part for part in pairs if part.name != "gateway"]
            await run_together(self._start_all(others), self._start_gateway(web), self._builder.render_edge())
            await self._start_all([self._builder.envoy()])
        finally:
            web.cancel()
            await asyncio.gather(web, return_exceptions=True)

    async def _start_all(self, wanted: Iterable[Part]) -> None:
        await run_together(*(self._start_part(part) for part in wanted))

    async def _start_gateway(self, web: asyncio.Task[None]) -> None:
        """The gateway serves the SPA and looks at its files when it starts, so they have to be there."""
        await web
        await self._start_part(self._builder.service("gateway", "app"))

    async def _start_part(self, part: Part) -> None:
        since = time.monotonic()
        keeper = self.keepers.setdefault(part.name, Keeper(part, self._write_state))
        keeper.part = part
        await keeper.start()
        self.progress.part(part.name, "ready", since, f"127.0.0.1:{part.port}")

    async def _timed(self, name: str, work: Awaitable[Any]) -> Any:
        since = time.monotonic()
        result = await work
        self.progress.part(name, "done", since)
        return result

    async def _build_web(self) -> None:
        since = time.monotonic()
        web = WebApp(self.stack.root, self.stack.data.log("web"), {MARK: self.stack.stack_id})
        if not web.exists:
            self.report.line(f"{'web':<16} skipped: there is no web/package.json")
            return
        built = await web.ensure_built()
        self.progress.part("web", "built" if built else "unchanged", since)

    def _welcome(self) -> str:
        mailbox = self.stack.url_of(MAILBOX)
        return (
            f"Bidwright is ready: {self.stack.base_url}/app\n"
            f"\nIt took {self.progress.total:.1f} s. Sign up with any address; its mail arrives at {mailbox}\n"
            "(or: ./bidwright mail). "
            "A demo with people and proposals: ./bidwright seed. To stop: Ctrl-C or ./bidwright down."
        )

    # -- stop ---------------------------------------------------------------------------------------------------------

    async def _shutdown(self) -> None:
        self._set_phase("stopping")
        await self._stop_parts()
        await self._mailbox.stop()
        self._set_phase("stopped")
        await self._control.stop()

    async def _stop_parts(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        deadline = time.monotonic() + _ALL_STOP
        forked = [name for service in parts.SERVICES for name in (service, worker(service))]
        await self._stop_keepers(["envoy"], 2.0)
        await self._stop_keepers(forked, _SERVICES_STOP)
        await self._stop_keepers([STRIPE_FAKE], 1.0)
        await self.nurseries.stop()
        servers_stop = max(_SERVERS_STOP, deadline - time.monotonic())
        await self._stop_keepers(["nats", "valkey", "postgres"], servers_stop)
        # What a service started and did not end itself.
        await asyncio.to_thread(cleanup.sweep, self.stack.stack_id, {}, gentle_seconds=0)

    async def _stop_keepers(self, names: Iterable[str], timeout: float) -> None:
        await asyncio.gather(
            *(self.keepers[name].stop(0.01 if self._hurry else timeout) for name in names if name in self.keepers)
        )

    # -- requests and state -------------------------------------------------------------------------------------------

    async def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request of a command."""
        match request.get("op"):
            case "status":
                return {"phase": self._phase, "parts": await self.rows()}
            case "stop":
                self._stop.set()
                return {"stopping": True}
            case "restart":
                return await self._restart(request.get("part"))
        raise StackError("the running supervisor does not know this command: restart it with ./bidwright down, up")

    async def _restart(self, name: str | None) -> dict[str, Any]:
        if self._phase != "running":
            raise StackError(f"the stack is {self._phase}")
        since = time.monotonic()
        if name is None:
            self._set_phase("restarting")
            await self._stop_parts()
            await self._start_parts()
            self._set_phase("running")
        elif name in self.keepers:
            if self.keepers[name].part.kind != "server":
                await self.nurseries.renew_if_stale()
            if name == "envoy":
                await self._builder.render_edge()
            await self.keepers[name].restart()
        else:
            raise StackError(f"no part is called {name}: {', '.join(self.keepers)}")
        return {"seconds": time.monotonic() - since}

    async def rows(self) -> list[dict[str, Any]]:
        """The parts, each asked now whether it is ready."""

        async def row(keeper: Keeper) -> dict[str, Any]:
            return keeper.row(ready=keeper.child is not None and await keeper.part.is_ready())

        first = ["postgres", "nats", "valkey", "envoy", STRIPE_FAKE]
        names = sorted(self.keepers, key=lambda name: first.index(name) if name in first else len(first))
        return list(await asyncio.gather(*(row(self.keepers[name]) for name in names)))

    def _set_phase(self, phase: str) -> None:
        self._phase = phase
        self._write_state()

    def _write_state(self) -> None:
        state = {
            "phase": self._phase,
            "supervisor": {"pid": os.getpid(), "started": processes.start_time(os.getpid())},
            "control": str(self._control.path),
            "port": self.stack.port,
            "ports": self.stack.ports,
            "settings": self.stack.settings,
            "env": self.stack.public_env(),
            "parts": [keeper.row(ready=keeper.state == "running") for keeper in self.keepers.values()],
            "helpers": self.nurseries.rows(),
        }
        with contextlib.suppress(OSError):  # a full disk must not take a running stack down
            self.stack.data.write_state(state)
