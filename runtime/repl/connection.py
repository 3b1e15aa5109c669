"""Finds the deployment to talk to, and says what to do when that does not work."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runtime.client import MashHostClientError

_ADVICE = {
    "AGENT_NOT_FOUND": "/agents lists the agents of this workspace.",
    "SESSION_BUSY": "Wait for the session's running request, or start another session.",
}
_ADVICE_BY_STATUS = {
    401: "Check the key: --api-key, or MASH_API_KEY in the environment. An owner issues tokens in the admin.",
    403: "This token lacks a scope for that. An owner issues another in the admin.",
    404: "Check the address: --api-base-url is that of the site, without /api/v1.",
    429: "Wait a little, then try again.",
}
_UNREACHABLE = "Is the deployment running? `make run` starts one here; --api-base-url names another."
_UNKNOWN = "The deployment's log says more."


class NoConnection(Exception):
    """There is no deployment to talk to; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    api_base_url: str
    api_key: str


def find_connection(
    *, api_base_url: str | None, api_key: str | None, environment: Mapping[str, str], local_file: Path
) -> Connection:
    """Flag, then environment, then the deployment that runs on this machine.

    The key of the local deployment goes to the local deployment only.
    """
    url = (api_base_url or "").strip() or environment.get("MASH_API_BASE_URL", "").strip()
    key = (api_key or "").strip() or environment.get("MASH_API_KEY", "").strip()
    if url:
        return Connection(api_base_url=url, api_key=key)
    local = _local_deployment(local_file)
    if local is None:
        raise NoConnection(
            f"No deployment is known: there is no {local_file}. Start one here with `make run`, "
            "or name one with --api-base-url and --api-key (or MASH_API_BASE_URL and MASH_API_KEY)."
        )
    return Connection(api_base_url=local.api_base_url, api_key=key or local.api_key)


def advice(error: MashHostClientError) -> str:
    """What the reader can do about it; empty when the server's message says it all."""
    if error.code in _ADVICE:
        return _ADVICE[error.code]
    if error.status is None:
        return _UNREACHABLE
    if error.status in _ADVICE_BY_STATUS:
        return _ADVICE_BY_STATUS[error.status]
    return _UNKNOWN if error.status >= 500 else ""


def _local_deployment(file: Path) -> Connection | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return Connection(api_base_url=str(content["api_base_url"]), api_key=str(content.get("api_key") or ""))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoConnection(f"{file} cannot be read ({error}). Delete it and start the deployment again.") from error
