"""Run as a process of its own in a stack's environment: a hundred thousand turns to search."""

import os
import random
import uuid

import django

TURNS = 100_000
OTHER_AGENTS_TURNS = 20_000
_PER_SESSION = 500
_WORDS = [f"w{n:05d}" for n in range(20_000)]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mashsite.settings")
    django.setup()
    # Models exist only after Django has been set up.
    from django.db import connections

    from agents.memory.place import memory_database
    from workspaces.models import Workspace

    workspace = Workspace.objects.get(slug="bench")
    chance = random.Random(1)
    for agent_id, count in (("echo", TURNS), ("another", OTHER_AGENTS_TURNS)):
        for start in range(0, count, _PER_SESSION):
            _add_session(workspace, agent_id, start, chance)
    with connections[memory_database()].cursor() as cursor:
        cursor.execute("ANALYZE")


def _add_session(workspace, agent_id: str, start: int, chance: random.Random) -> None:
    from django.db import transaction
    from django.utils import timezone

    from agents.memory.models import Turn
    from agents.memory.place import memory_database
    from agents.memory.search_index import index_turns

    now = timezone.now()
    with transaction.atomic(using=memory_database()):
        session = workspace.sessions.create(
            agent_id=agent_id, session_id=f"{agent_id}-{start}", turn_count=_PER_SESSION, last_activity_at=now
        )
        turns = workspace.turns.bulk_create(
            Turn(
                turn_id=uuid.uuid4(),
                session=session,
                workspace=workspace,
                user_message=_text(place, chance),
                agent_response="Done.",
                session_total_tokens=0,
                created_at=now,
            )
            for place in range(start, start + _PER_SESSION)
        )
        index_turns(workspace, session, turns)


def _text(place: int, chance: random.Random) -> str:
    """Forty words of twenty thousand, and one that is in half, in one of a hundred, and in one of a thousand turns."""
    words = chance.choices(_WORDS, k=40)
    for word, one_of in (("often", 2), ("seldom", 100), ("rarely", 1000)):
        if place % one_of == 0:
            words.append(word)
    return " ".join(words)


if __name__ == "__main__":
    main()
