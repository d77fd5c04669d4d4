"""Who calls, and what a route works with."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from common.db import Tenant
from common.identity import Identity, require
from common.jobs import JobRunner
from exports.deps import Deps

Reader = Annotated[Identity, Depends(require(role="viewer", scope="exports:read"))]
Writer = Annotated[Identity, Depends(require(role="member", scope="exports:write"))]
Admin = Annotated[Identity, Depends(require(role="admin", scope="exports:write"))]


def get_deps(request: Request) -> Deps:
    """What the app was made with."""
    return cast(Deps, request.app.state.deps)


def get_runner(request: Request) -> JobRunner[Deps]:
    """Runs a job in this process, for a caller who waits for it."""
    return cast("JobRunner[Deps]", request.app.state.runner)


Services = Annotated[Deps, Depends(get_deps)]
Runner = Annotated[JobRunner[Deps], Depends(get_runner)]


def tenant(identity: Identity) -> Tenant:
    """In whose name the database is asked."""
    return Tenant(org_id=identity.org_id, user_id=identity.user_id)
