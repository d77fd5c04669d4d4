"""``./bidwright restore DIR [--yes]``: puts a backup into a running stack, all of it or nothing."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from devstack import control
from devstack.backups import artifacts, database, messages, objects, running
from devstack.data import DataFolder
from devstack.errors import StackError, UsageError
from devstack.stack import Stack

_RESTART_SECONDS = 300


def run(root: Path, data: DataFolder, source: Path, *, yes: bool) -> int:
    """Check everything first; prepare beside what exists; exchange; restart."""
    began = time.monotonic()
    stack, state = running.require(root, data)
    dump, media = artifacts.find(source.absolute())
    dump.verify()
    if media is None:
        print("objects     there are none beside the dump: only the database is restored")
    else:
        media.verify()
        if media.stamp < dump.stamp:
            print(f"objects     are older than the dump ({media.stamp}): what came between is missing")
    folder = running.objects_folder(stack)
    holds = database.holds_data(stack) or (folder is not None and folder.exists() and not objects.is_empty(folder))
    if holds and not yes:
        raise UsageError(f"the stack on {data.path} holds data: --yes puts the backup in its place, and keeps it aside")
    if media is not None and folder is None:
        raise StackError("STORAGE_URL is no folder: put the objects into the bucket, then restore the dump alone")
    # Beside the objects, so that the exchange is a rename.
    work = Path(tempfile.mkdtemp(prefix=".restoring-", dir=folder.parent if folder else data.path))
    try:
        _restore(stack, state["control"], dump, media, work, folder, keep=holds)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"restored in {time.monotonic() - began:.1f} s")
    return 0


def _restore(
    stack: Stack,
    supervisor: str,
    dump: artifacts.Artifact,
    media: artifacts.Artifact | None,
    work: Path,
    folder: Path | None,
    *,
    keep: bool,
) -> None:
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime())
    fresh, aside = f"bidwright_restoring_{stamp}", f"bidwright_before_{stamp}"
    unpacked, objects_aside = work / "objects", work.parent / f"objects.before-{stamp}"
    count = objects.unpack(media.opened(work), unpacked) if media else 0
    database.load(stack, dump.opened(work), fresh)
    try:
        with database.connected(running.superuser_url(stack, fresh)) as connection:
            again = messages.send_again(connection)
        with database.services_shut_out(stack) as admin:
            # From here on it is a matter of two renames; the streams' content belongs to what is being replaced.
            messages.forget(stack)
            database.exchange(admin, fresh, aside)
            try:
                if media and folder:
                    objects.swap(unpacked, folder, objects_aside)
            except BaseException:  # Ctrl-C too: old rows beside new files would be neither
                database.exchange(admin, aside, fresh)
                raise
    except BaseException:  # Ctrl-C too: a half-filled database would be left behind
        database.drop(stack, fresh)
        raise
    print(f"database    {dump.path.name}")
    print(f"objects     {count}")
    print(f"events      {again} sent again")
    if keep:
        print(
            f"kept aside  database {aside}" + (f", folder {objects_aside}" if objects_aside.exists() else ""),
            flush=True,
        )
    try:
        control.ask(supervisor, {"op": "restart", "part": None}, timeout=_RESTART_SECONDS)
    except StackError as error:
        raise StackError(
            f"the backup is in its place, but the restart failed ({error}): ./bidwright down, then up"
        ) from error
    if not keep:
        database.drop(stack, aside)
        objects.discard(objects_aside)
