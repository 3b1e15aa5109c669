"""`manage.py mash_workspace`: workspaces and who belongs to them."""

import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.db.models import Count, Q
from typing_extensions import override

from agents.catalogue import sync_code_agents
from agents.management.code_agents import check_code_agents
from agents.models import Agent
from agents.starter import offer_starter_agent
from workspaces.bootstrap import add_member, create_workspace
from workspaces.errors import MashError
from workspaces.management.command import MashCommand, workspace_named
from workspaces.members import change_role, remove_member
from workspaces.models import Membership, User, Workspace
from workspaces.roles import Role
from workspaces.scoping import only

_ACTOR = "command:mash_workspace"


class Command(MashCommand):
    help = """Make workspaces and say who belongs to them.

Examples:
  manage.py mash_workspace create research --name "Research" --starter-agent
  manage.py mash_workspace add-member research ada --role developer --new
  manage.py mash_workspace members research --json

Exit codes: 0 done, 1 not possible (the message says why), 2 wrong arguments."""

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        create = actions.add_parser("create", help="Make a workspace.")
        create.add_argument("workspace", help="Its name in URLs: lower-case letters, digits, hyphens.")
        create.add_argument("--name", default="", help="Its name for people (default: the same).")
        create.add_argument("--starter-agent", action="store_true", help="Begin with the agent `assistant`.")
        actions.add_parser("list", help="Show all workspaces.").add_argument("--json", action="store_true")
        members = actions.add_parser("members", help="Show who belongs to one.")
        members.add_argument("workspace")
        members.add_argument("--json", action="store_true")
        for name, text in (("add-member", "Let a person in."), ("set-role", "Change what a member may do.")):
            action = actions.add_parser(name, help=text)
            action.add_argument("workspace")
            action.add_argument("username")
            action.add_argument("--role", choices=Role.values, required=name == "set-role", default=Role.DEVELOPER)
            if name == "add-member":
                action.add_argument("--new", action="store_true", help="Make the account; shows its password once.")
        remove = actions.add_parser("remove-member", help="Shut a person out.")
        remove.add_argument("workspace")
        remove.add_argument("username")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        action = getattr(self, f"_{options['action'].replace('-', '_')}")
        try:
            action(options)
        except MashError as error:
            raise CommandError(str(error)) from error

    def _create(self, options: dict[str, Any]) -> None:
        slug = options["workspace"]
        check_code_agents()
        try:
            with transaction.atomic():
                workspace = create_workspace(slug, options["name"] or slug, actor=_ACTOR)
                sync_code_agents([workspace])
                if options["starter_agent"]:
                    offer_starter_agent(workspace)
        except ValidationError as error:
            raise CommandError(f"{slug!r} will not do: {' '.join(error.messages)}") from error
        self.stdout.write(
            f"Workspace {slug} is ready. Next: `manage.py mash_workspace add-member {slug} USERNAME --role owner`."
        )

    def _list(self, options: dict[str, Any]) -> None:
        counted = Workspace.objects.annotate(
            members=Count("memberships", distinct=True),
            agent_count=Count("agents", filter=~Q(agents__role__in=Agent.HIDDEN), distinct=True),
        )
        rows = [
            {"workspace": row.slug, "name": row.name, "members": row.members, "agents": row.agent_count}
            for row in counted
        ]
        if options["json"]:
            self.show_json(rows)
        else:
            self.show_table(rows, empty="There is no workspace. `manage.py mash_workspace create NAME` makes one.")

    def _members(self, options: dict[str, Any]) -> None:
        workspace = workspace_named(options["workspace"])
        members = workspace.memberships.select_related("user").order_by("user__username")
        rows = [
            {
                "username": row.user.get_username(),
                "role": row.role,
                "email": row.user.email,
                "since": row.created_at.date(),
            }
            for row in members
        ]
        if options["json"]:
            self.show_json(rows)
        else:
            self.show_table(rows, empty=f"{workspace} has no members.")

    def _add_member(self, options: dict[str, Any]) -> None:
        workspace = workspace_named(options["workspace"])
        username, password = options["username"], ""
        with transaction.atomic():
            user = only(User.objects.filter(username=username))
            if user is None and not options["new"]:
                raise CommandError(f"There is no account {username!r}. Add --new to make it.")
            if user is None:
                password = secrets.token_urlsafe(12)
                # Staff may sign in to the admin; there they see their own workspaces.
                user = User.objects.create_user(username, password=password, is_staff=True)
            if membership := only(workspace.memberships.filter(user=user)):
                change_role(membership, Role(options["role"]), actor=_ACTOR)
            else:
                add_member(workspace, user, Role(options["role"]), actor=_ACTOR)
        self.stdout.write(f"{username} is {options['role']} of {workspace}.")
        if password:
            self.stdout.write(f"Password, shown once: {password}")

    def _set_role(self, options: dict[str, Any]) -> None:
        membership = _membership(options)
        change_role(membership, Role(options["role"]), actor=_ACTOR)
        self.stdout.write(f"{membership.user} is {options['role']} of {membership.workspace}.")

    def _remove_member(self, options: dict[str, Any]) -> None:
        membership = _membership(options)
        user, workspace = membership.user, membership.workspace
        remove_member(membership, actor=_ACTOR)
        self.stdout.write(f"{user} is no longer a member of {workspace}. Their API tokens stay: see mash_token list.")


def _membership(options: dict[str, Any]) -> Membership:
    workspace, username = workspace_named(options["workspace"]), options["username"]
    membership = only(workspace.memberships.select_related("user", "workspace").filter(user__username=username))
    if membership is None:
        raise CommandError(f"{username} is no member of {workspace}. `add-member` lets them in.")
    return membership
