"""Fills datasets: by hand, from JSON lines, from a turn, and from what Masher has kept."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from runtime.models import AgentRequest
from runtime.public import completed_data
from workflows.errors import DatasetExists
from workflows.evals.models import Dataset, DatasetRow
from workflows.masher.models import MasherRow
from workspaces import audit
from workspaces.api.envelope import InvalidBody
from workspaces.api.parsers import BadJSON, read_json
from workspaces.models import Workspace

MOST_ROWS = 10_000
MOST_CHARACTERS = 100_000
_NAMES = {"message", "expected", "metadata"}
Status = DatasetRow.Status


def make_dataset(workspace: Workspace, name: str, *, by: str, description: str = "") -> Dataset:
    try:
        with transaction.atomic():
            dataset = workspace.datasets.create(
                name=name, description=description, created_by=by, created_at=timezone.now()
            )
            audit.record(workspace, actor=by, action="dataset.made", target=name)
            return dataset
    except IntegrityError as error:
        raise DatasetExists(f"There is a dataset {name!r} already.", details={"field": "name"}) from error


def add_lines(dataset: Dataset, text: str) -> int:
    """Rows from JSON lines: `message`, and if need be `expected` and `metadata`; all of them or none. How many there were."""
    # Other characters that end a line elsewhere may stand in a JSON text.
    lines = enumerate(text.removeprefix("\ufeff").split("\n"), start=1)
    return add_rows(dataset, [_read(f"line {number}", line) for number, line in lines if line.strip()], source="file")


def add_rows(dataset: Dataset, rows: Sequence[Mapping[str, Any]], *, source: str) -> int:
    """Rows that have been read; how many there were."""
    if dataset.questions.count() + len(rows) > MOST_ROWS:
        raise _fault("rows", f"A dataset has {MOST_ROWS:,} rows at most.")
    now = timezone.now()
    dataset.workspace.dataset_rows.bulk_create(
        DatasetRow(workspace=dataset.workspace, dataset=dataset, source=source, created_at=now, **row) for row in rows
    )
    return len(rows)


def add_turn(dataset: Dataset, agent_request: AgentRequest) -> DatasetRow:
    """The message of a request and what was answered, to be looked at; the same turn is one row, however often it is added."""
    ended = completed_data(agent_request)
    answer = (ended[1].get("response") or {}).get("text", "") if ended else ""
    row, _ = dataset.questions.get_or_create(
        trace_id=agent_request.trace_id,
        defaults={
            "workspace": dataset.workspace,
            "message": agent_request.message,
            "expected": answer,
            "status": Status.PROPOSED,
            "source": "trace",
            "created_at": timezone.now(),
        },
    )
    return row


def add_from_masher(dataset: Dataset, target_agent_id: str = "") -> int:
    """Every row that Masher has kept for evals and the dataset lacks, to be looked at; how many there were."""
    kept = dataset.workspace.masher_rows.filter(kind=MasherRow.Kind.EVAL)
    kept = kept.filter(target_agent_id=target_agent_id) if target_agent_id else kept
    known = dataset.questions.filter(trace_id__isnull=False).values("trace_id")
    rows = [
        DatasetRow(
            workspace=dataset.workspace,
            dataset=dataset,
            message=row.content.get("user_message") or "",
            expected=row.content.get("assistant_response") or "",
            metadata={"agent_id": row.target_agent_id, "tools_called": row.content.get("tools_called") or []},
            status=Status.PROPOSED,
            source="masher",
            trace_id=row.trace_id,
            created_at=timezone.now(),
        )
        for row in kept.exclude(trace_id__in=known).order_by("pk")[:MOST_ROWS]
    ]
    dataset.workspace.dataset_rows.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def lines_of(dataset: Dataset) -> Iterator[str]:
    """The accepted rows as JSON lines, as `add_lines` takes them."""
    for row in dataset.questions.filter(status=Status.ACCEPTED).iterator(chunk_size=500):
        content: dict[str, Any] = {"message": row.message}
        content |= {"expected": row.expected} if row.expected else {}
        content |= {"metadata": row.metadata} if row.metadata else {}
        yield json.dumps(content, ensure_ascii=False)


def _read(place: str, line: str) -> dict[str, Any]:
    try:
        content = read_json(line.encode())
        json.dumps(content, ensure_ascii=False).encode()
    except BadJSON as error:
        raise _fault(place, f"It {error.fault}") from error
    except UnicodeEncodeError as error:
        raise _fault(place, "It holds half of a character.") from error
    if not isinstance(content, Mapping):
        raise _fault(place, "It is no object.")
    if unknown := sorted(set(content) - _NAMES):
        raise _fault(place, f"Unknown: {', '.join(unknown)[:100]}. A row has {', '.join(sorted(_NAMES))}.")
    message, expected = content.get("message"), content.get("expected", "")
    metadata = content.get("metadata", {})
    if not isinstance(message, str) or not message.strip() or len(message) > MOST_CHARACTERS:
        raise _fault(place, f"It needs a message, a text of at most {MOST_CHARACTERS:,} characters.")
    if not isinstance(expected, str) or not isinstance(metadata, dict) or len(expected) > MOST_CHARACTERS:
        raise _fault(place, "expected is a text, and metadata an object.")
    if "\x00" in line or "\\u0000" in line:
        raise _fault(place, "Null characters are not allowed.")
    return {"message": message, "expected": expected, "metadata": metadata}


def _fault(place: str, text: str) -> InvalidBody:
    return InvalidBody([{"type": "value_error", "loc": ["body", place], "msg": text}])
