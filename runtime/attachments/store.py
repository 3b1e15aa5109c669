"""Keeps attachments: once per workspace and content, for as long as a request uses them."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from runtime.attachments.errors import AttachmentQuotaReached, too_large, unknown_attachment, wrong_type
from runtime.attachments.sniff import media_type_of
from runtime.attachments.values import Reference, Upload, file_name, plain_name
from runtime.models import AgentRequest, Attachment, AttachmentContent, AttachmentUse
from workspaces.models import Workspace
from workspaces.scoping import only

UNUSED_LIFETIME = timedelta(days=1)


def store_upload(workspace: Workspace, upload: Upload, *, place: list[str]) -> tuple[Reference, str]:
    """Stores the content unless the workspace has it already; returns the reference and the content's SHA-256."""
    if len(upload.content) > settings.MASH_MAX_ATTACHMENT_BYTES:
        raise too_large(place, settings.MASH_MAX_ATTACHMENT_BYTES)
    media_type = media_type_of(upload.content)
    if media_type is None:
        raise wrong_type(place)
    digest = hashlib.sha256(upload.content).hexdigest()
    attachment = _touched(workspace, digest) or _stored(workspace, digest, media_type, upload.content)
    return _reference(attachment, upload.name), digest


def keep(workspace: Workspace, attached: Sequence[Upload | Reference]) -> tuple[Reference, ...]:
    """Everything that comes with one message, stored and looked up; a fault names its place in the body."""
    if not attached:
        return ()
    known = _known(workspace, attached)
    _check_total(attached, known)
    kept = []
    for number, entry in enumerate(attached):
        place = ["body", "attachments", str(number)]
        if isinstance(entry, Upload):
            kept.append(store_upload(workspace, entry, place=[*place, "data"])[0])
        elif attachment := known.get(entry.attachment_id):
            kept.append(_reference(attachment, entry.name))
        else:
            raise unknown_attachment([*place, "attachment_id"])
    return tuple(kept)


def link(agent_request: AgentRequest) -> None:
    """Notes what a new request uses, in its transaction. Locked, so that nobody removes it meanwhile."""
    attachment_ids = {entry["attachment_id"] for entry in agent_request.attachments}
    if not attachment_ids:
        return
    attachments = agent_request.workspace.attachments.filter(attachment_id__in=attachment_ids)
    keys = list(attachments.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    if len(keys) < len(attachment_ids):
        raise unknown_attachment(["body", "attachments"])
    attachments.update(touched_at=timezone.now())
    agent_request.attachment_uses.bulk_create(
        AttachmentUse(agent_request=agent_request, attachment_id=key) for key in keys
    )


def release(agent_requests: QuerySet[AgentRequest]) -> int:
    """Forgets what these requests came with and removes what no other request uses; how many attachments went."""
    with transaction.atomic():
        uses = AttachmentUse.rows.filter(agent_request__in=agent_requests)
        keys = set(uses.values_list("attachment_id", flat=True))
        uses.delete()
        agent_requests.exclude(attachments=[]).update(attachments=[])
        return _remove_unused(Attachment.rows.filter(pk__in=keys))


def sweep(*, at_most: int = 50) -> int:
    """Removes uploads that no request has used for a day; how many went."""
    before: datetime = timezone.now() - UNUSED_LIFETIME
    with transaction.atomic():
        oldest = Attachment.rows.filter(touched_at__lt=before, uses__isnull=True).order_by("touched_at")
        keys = list(oldest.values_list("pk", flat=True)[:at_most])
        return _remove_unused(Attachment.rows.filter(pk__in=keys, touched_at__lt=before)) if keys else 0


def _remove_unused(attachments: QuerySet[Attachment]) -> int:
    """Locks first and looks for uses after: a request that links one of these meanwhile is seen, or finds it gone."""
    locked = list(attachments.select_for_update().order_by("pk").values_list("pk", flat=True))
    _, removed = attachments.filter(pk__in=locked, uses__isnull=True).delete()
    return removed.get(Attachment._meta.label, 0)


def _touched(workspace: Workspace, digest: str) -> Attachment | None:
    """The row of this content, good for another day; None if there is none."""
    rows = workspace.attachments.filter(sha256=digest)
    if not rows.update(touched_at=timezone.now()):
        return None
    return only(rows)


def _stored(workspace: Workspace, digest: str, media_type: str, content: bytes) -> Attachment:
    now = timezone.now()
    try:
        with transaction.atomic():
            # One after the other, else two could take the same rest of the quota.
            Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
            _check_quota(workspace, len(content))
            attachment = workspace.attachments.create(
                sha256=digest, size=len(content), media_type=media_type, created_at=now, touched_at=now
            )
            AttachmentContent(attachment=attachment, data=content).save(force_insert=True)
    except IntegrityError:
        # The same content came in at the same moment and was first.
        if earlier := _touched(workspace, digest):
            return earlier
        raise
    return attachment


def _check_quota(workspace: Workspace, size: int) -> None:
    limit = workspace.max_attachment_megabytes * 1024 * 1024
    stored = workspace.attachments.aggregate(total=Sum("size"))["total"] or 0
    if stored + size > limit:
        text = f"The workspace keeps at most {workspace.max_attachment_megabytes} MB of attachments."
        raise AttachmentQuotaReached(text, details={"limit": limit, "stored": stored})


def _known(workspace: Workspace, attached: Sequence[Upload | Reference]) -> dict[uuid.UUID, Attachment]:
    asked = [entry.attachment_id for entry in attached if isinstance(entry, Reference)]
    rows = workspace.attachments.filter(attachment_id__in=asked) if asked else ()
    return {row.attachment_id: row for row in rows}


def _check_total(attached: Sequence[Upload | Reference], known: Mapping[uuid.UUID, Attachment]) -> None:
    total = 0
    for entry in attached:
        if isinstance(entry, Upload):
            total += len(entry.content)
        elif attachment := known.get(entry.attachment_id):
            total += attachment.size
    if total > settings.MASH_MAX_MESSAGE_ATTACHMENT_BYTES:
        raise too_large(["body", "attachments"], settings.MASH_MAX_MESSAGE_ATTACHMENT_BYTES)


def _reference(attachment: Attachment, name: str) -> Reference:
    return Reference(
        attachment_id=attachment.attachment_id,
        name=file_name(plain_name(name), attachment.media_type),
        media_type=attachment.media_type,
        size=attachment.size,
    )
