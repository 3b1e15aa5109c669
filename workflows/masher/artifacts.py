"""The rows as files of JSON lines: written from the database, so that a crash neither loses nor repeats a line."""

import fcntl
import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO

from django.conf import settings

from workflows.masher.models import MasherRow
from workspaces.models import Workspace

NAMES = {MasherRow.Kind.DIGEST: "trace-digests.jsonl", MasherRow.Kind.EVAL: "online-evals.jsonl"}
_TAIL_BYTES = 1024 * 1024


def artifact_path(workspace: Workspace, kind: str) -> Path:
    """Below `MASH_DATA_DIR`; each workspace has a folder of its own."""
    return Path(settings.MASH_DATA_DIR) / "masher" / workspace.slug / NAMES[MasherRow.Kind(kind)]


def write_artifact(workspace: Workspace, kind: str) -> Path:
    """Appends every row that the file lacks, oldest first: one JSON object a line, keys sorted, ASCII only."""
    path = artifact_path(workspace, kind)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(path) as file:
        last = _last_written(workspace, kind, file)
        missing = workspace.masher_rows.filter(kind=kind, id__gt=last).order_by("id").values_list("content", flat=True)
        for content in missing.iterator(chunk_size=500):
            file.write(json.dumps(content, sort_keys=True).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return path


def erase_lines(workspace: Workspace, kind: str, trace_ids: Collection[str]) -> None:
    """Puts a file without the lines of these traces in the place of the one that has them."""
    path = artifact_path(workspace, kind)
    if not path.exists():
        return
    with _alone(path) as file:
        handle, name = mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as rest:
            file.seek(0)
            for line in file:
                if line.endswith(b"\n") and json.loads(line)["trace_id"] not in trace_ids:
                    rest.write(line)
            rest.flush()
            os.fsync(rest.fileno())
        os.replace(name, path)


@contextmanager
def _alone(path: Path) -> Iterator[BinaryIO]:
    """The file that is at this place once nobody else has it."""
    while True:
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                yield file
                return


def _last_written(workspace: Workspace, kind: str, file: BinaryIO) -> int:
    """Key of the row of the last whole line; a line that a crash has cut is cut off."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _TAIL_BYTES))
    tail = file.read()
    whole, _, rest = tail.rpartition(b"\n")
    if rest:
        file.truncate(end - len(rest))
        file.seek(0, os.SEEK_END)
    if not whole:
        return 0
    line = json.loads(whole.rpartition(b"\n")[2])
    names = ("target_agent_id", "session_id", "trace_id")
    rows = workspace.masher_rows.filter(kind=kind, **{name: line[name] for name in names})
    return rows.values_list("id", flat=True).first() or 0
