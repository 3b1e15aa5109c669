"""`manage.py mash_token`: programs' keys to a workspace."""

from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone
from typing_extensions import override

from workspaces.management.command import MashCommand, workspace_named
from workspaces.models import ApiToken
from workspaces.roles import ROLE_SCOPES, Role, Scope
from workspaces.tokens import issue_token, revoke_token

_ACTOR = "command:mash_token"
_MOST_DAYS = 36_500


class Command(MashCommand):
    help = """Issue, list and revoke API tokens.

Examples:
  TOKEN=$(manage.py mash_token issue main --name ci --role operator --days 90)
  manage.py mash_token issue main --name reader --scope sessions:read --scope agents:read
  manage.py mash_token list main --json
  manage.py mash_token revoke main mash_1a2b3c4d

`issue` writes the token alone to standard output. It is not kept and cannot be shown again.
Exit codes: 0 done, 1 not possible (the message says why), 2 wrong arguments."""

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        issue = actions.add_parser("issue", help="Make a token and show it once.")
        issue.add_argument("workspace")
        issue.add_argument("--name", required=True, help="What it is for.")
        rights = issue.add_mutually_exclusive_group()
        rights.add_argument("--role", choices=Role.values, help="As much as this role may do (default: everything).")
        rights.add_argument("--scope", action="append", choices=Scope.values, metavar="SCOPE", help="May repeat.")
        issue.add_argument("--days", type=_positive, help="Days until it expires (default: never).")
        issue.add_argument("--json", action="store_true")
        listing = actions.add_parser("list", help="Show a workspace's tokens.")
        listing.add_argument("workspace")
        listing.add_argument("--json", action="store_true")
        revoke = actions.add_parser("revoke", help="End a token at once.")
        revoke.add_argument("workspace")
        revoke.add_argument("token", help="Its id or prefix, as `list` shows them.")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['action']}")(options)

    def _issue(self, options: dict[str, Any]) -> None:
        workspace = workspace_named(options["workspace"])
        scopes = options["scope"] or ROLE_SCOPES[options["role"] or Role.OWNER]
        days = options["days"]
        token, text = issue_token(
            workspace,
            name=options["name"],
            actor=_ACTOR,
            scopes=scopes,
            expires_at=timezone.now() + timedelta(days=days) if days else None,
        )
        if options["json"]:
            self.show_json({**_row(token), "token": text})
            return
        self.stderr.write(f"Token {token.name!r} of {workspace}: shown once, keep it now.")
        self.stdout.write(text)

    def _list(self, options: dict[str, Any]) -> None:
        workspace = workspace_named(options["workspace"])
        rows = [_row(token) for token in workspace.tokens.order_by("pk")]
        if options["json"]:
            self.show_json(rows)
            return
        shown = [{**row, "scopes": _scopes_in_brief(row["scopes"])} for row in rows]
        self.show_table(shown, empty=f"{workspace} has no tokens. `manage.py mash_token issue {workspace}` makes one.")

    def _revoke(self, options: dict[str, Any]) -> None:
        workspace, wanted = workspace_named(options["workspace"]), options["token"]
        by_id = Q(pk=int(wanted)) if wanted.isdecimal() else Q()
        found = list(workspace.tokens.filter(Q(prefix=wanted) | by_id if by_id else Q(prefix=wanted)))
        if not found:
            raise CommandError(
                f"{workspace} has no token {wanted!r}. `manage.py mash_token list {workspace}` shows all."
            )
        if len(found) > 1:
            ids = ", ".join(str(token.pk) for token in found)
            raise CommandError(f"Several tokens begin with {wanted!r}; name one by its id: {ids}.")
        was_valid = revoke_token(found[0], actor=_ACTOR)
        self.stdout.write(f"Token {found[0]} {'is revoked' if was_valid else 'had been revoked before'}.")


def _row(token: ApiToken) -> dict[str, Any]:
    state = "valid" if token.is_valid(timezone.now()) else "revoked" if token.revoked_at else "expired"
    times = {
        name: moment.isoformat(timespec="seconds") if moment else None
        for name, moment in (("expires", token.expires_at), ("last_used", token.last_used_at))
    }
    return {"id": token.pk, "prefix": token.prefix, "name": token.name, "state": state, "scopes": token.scopes, **times}


def _scopes_in_brief(scopes: list[str]) -> str:
    return "all" if set(scopes) >= set(Scope) else " ".join(scopes)


def _positive(text: str) -> int:
    """Days from 1 to about a hundred years."""
    if not text.isdecimal() or not 0 < int(text) <= _MOST_DAYS:
        raise ArgumentTypeError(f"must be a whole number from 1 to {_MOST_DAYS}, not {text!r}")
    return int(text)
