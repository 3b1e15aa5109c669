"""Loads the agents of code before a command changes anything, and leads to the fault where that code is at fault."""

import traceback

from django.conf import settings
from django.core.management.base import CommandError

from agents.catalogue import code_agents, code_definition


def check_code_agents() -> None:
    """Raises `CommandError` for whatever the code of the agents raises; `--traceback` shows all of it."""
    try:
        for registered in code_agents().values():
            code_definition(registered, {})
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        source = f"MASH_HOST_APP={settings.MASH_HOST_APP}" if settings.MASH_HOST_APP else "The agents of installed apps"
        raise CommandError(
            f"{source} cannot be used: {type(error).__name__}: {error} ({place.filename}:{place.lineno})."
            " Run the command with --traceback for the way there."
        ) from error
