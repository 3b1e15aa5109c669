"""Filters that people have given names, and the newest event, which a page's stream goes on from: in one statement."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import FilteredRelation, Q, Subquery
from django.utils.text import slugify

from telemetry.models import SavedView
from telemetry.query.terms import PARAMETERS
from workspaces.models import User, Workspace

KNOWN = frozenset({*PARAMETERS, "q", "range", "from", "to", "cols"})
_LONGEST_VALUE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    slug: str
    name: str
    parameters: Mapping[str, str]
    is_shared: bool
    is_own: bool

    @property
    def filters(self) -> Mapping[str, str]:
        return {name: value for name, value in self.parameters.items() if name in KNOWN}

    @property
    def unknown(self) -> list[str]:
        """Parameters that this list does not have, from another version or by another door."""
        return sorted(set(self.parameters) - KNOWN)


@dataclass(frozen=True, slots=True)
class Ground:
    newest_event: int
    views: list[View]


def read_ground(workspace: Workspace, user: User | None) -> Ground:
    visible = Q(saved_views__is_shared=True) | Q(saved_views__owner=user)
    rows = (
        Workspace.objects.filter(pk=workspace.pk)
        .annotate(
            view=FilteredRelation("saved_views", condition=visible),
            newest=Subquery(workspace.events.order_by("-id").values("id")[:1]),
        )
        .order_by("view__slug")
        .values_list("newest", "view__slug", "view__name", "view__parameters", "view__is_shared", "view__owner_id")
    )
    newest, views = 0, []
    for event_id, slug, name, parameters, is_shared, owner in rows:
        newest = event_id or 0
        if slug is not None:
            is_own = user is not None and owner == user.pk
            views.append(View(slug=slug, name=name, parameters=parameters, is_shared=is_shared, is_own=is_own))
    return Ground(newest, views)


def save_view(
    workspace: Workspace, owner: User, *, name: str, parameters: Mapping[str, str], is_shared: bool
) -> SavedView:
    """A view of the same name is replaced if it is one's own; another person's keeps its slug."""
    kept = {key: value[:_LONGEST_VALUE] for key, value in parameters.items() if key in KNOWN and value}
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        same = workspace.saved_views.filter(owner=owner, name=name).first()
        view = same or SavedView(workspace=workspace, owner=owner, name=name, slug=_free_slug(workspace, name))
        view.parameters, view.is_shared = kept, is_shared
        view.save()
    return view


def _free_slug(workspace: Workspace, name: str) -> str:
    wanted = slugify(name, allow_unicode=True)[:50] or "view"
    taken = set(workspace.saved_views.filter(slug__startswith=wanted).values_list("slug", flat=True))
    if wanted not in taken:
        return wanted
    return next(slug for number in range(2, len(taken) + 3) if (slug := f"{wanted}-{number}") not in taken)
