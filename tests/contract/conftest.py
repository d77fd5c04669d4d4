"""One stack, one cast, and one of everything that has an id."""

from __future__ import annotations

import httpx
import pytest

from devstack.running import RunningStack

from .cast import Cast, assemble, nobody, one_of_everything


@pytest.fixture(scope="session")
def cast(stack: RunningStack) -> Cast:
    return assemble(stack)


@pytest.fixture(scope="session")
def anonymous(stack: RunningStack) -> httpx.Client:
    return nobody(stack.base_url)


@pytest.fixture(scope="session")
def ids(cast: Cast) -> dict[str, str]:
    return one_of_everything(cast.owner)
