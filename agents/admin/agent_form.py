"""The form for an agent that a workspace defines for itself."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from pydantic import ValidationError
from typing_extensions import override

from agents.admin.definition_form import DefinitionForm, credential_choices, initial_values, names_help, tool_choices
from agents.check import definition_faults, routing_faults
from agents.definition import AgentDefinition
from agents.delegation_cycle import delegation_fault
from agents.models import Agent
from workspaces.admin.access import Access
from workspaces.models import Workspace
from workspaces.roles import Scope

_NAMES_TOLD = 20
_ID = RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z", "Use letters, digits, dots, hyphens and underscores.")


class AgentForm(DefinitionForm):
    access: Access
    definition: AgentDefinition
    note = forms.CharField(
        required=False,
        max_length=200,
        help_text="Why this change? Shown in the version history.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    class Meta(DefinitionForm.Meta):
        fields = ("workspace", "agent_id", "role", "is_enabled", "position")
        help_texts = {
            "agent_id": "The agent's name in URLs and logs, such as “travel-desk”. It cannot be changed later.",
            "role": "The primary agent speaks for the workspace; subagents are called by it, or directly by their id.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.base_definition = self.instance.definition if self.instance.pk else AgentDefinition()
        self.initial = {**initial_values(self.base_definition), **self.initial}
        if self.instance.pk:
            workspaces = [self.instance.workspace]
        else:
            workspaces = list(self.access.workspaces(Scope.AGENTS_WRITE).prefetch_related("credentials"))
            self.fields["agent_id"].validators.append(_ID)
        self._set_choices("tools", tool_choices(self.base_definition.tools, workspaces))
        empty = "The operator's key from the environment"
        for name in ("credential", "fallback_credential"):
            chosen = getattr(self.base_definition, name)
            self._set_choices(name, credential_choices(workspaces, chosen=chosen, empty=empty))
        if len(workspaces) == 1:
            self._tell_names(workspaces[0])

    def _set_choices(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  declared so
        field.choices = choices

    def _tell_names(self, workspace: Workspace) -> None:
        """What may be entered stands at the fields, so that nobody has to look it up."""
        others = workspace.agents.exclude(pk=self.instance.pk)
        known = {
            "subagents": others.values_list("agent_id", flat=True),
            "skills": workspace.skills.values_list("name", flat=True),
            "mcp_servers": workspace.mcp_servers.filter(agent_id="").values_list("name", flat=True),
        }
        for name, names in known.items():
            field = self.fields[name]
            field.help_text = names_help(str(field.help_text), list(names[: _NAMES_TOLD + 1]), most=_NAMES_TOLD)

    @override
    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        workspace = self.instance.workspace if self.instance.pk else values.get("workspace")
        if workspace:
            self._check_primary(workspace, values.get("role"))
        if not self.errors and workspace:
            self._read_definition(workspace, values["role"])
        return values

    def _read_definition(self, workspace: Workspace, role: str) -> None:
        # What the form does not know keeps its value.
        values = self.base_definition.model_dump() | self.definition_values()
        try:
            self.definition = AgentDefinition.model_validate(values)
        except ValidationError as error:
            self.add_definition_errors(error)
            return
        faults = definition_faults(workspace, self.definition)
        if role == Agent.Role.SUBAGENT:
            faults |= routing_faults(self.definition)
        agent_id = self.instance.agent_id if self.instance.pk else self.cleaned_data["agent_id"]
        if fault := delegation_fault(workspace, agent_id, role, self.definition):
            faults.setdefault("subagents", fault)
        for field, fault in faults.items():
            self.add_error(field, fault)

    def _check_primary(self, workspace: Workspace, role: str | None) -> None:
        others = workspace.agents.filter(role=Agent.Role.PRIMARY).exclude(pk=self.instance.pk)
        if role == Agent.Role.PRIMARY and others.exists():
            self.add_error("role", f"This workspace has a primary agent already: {others.get().agent_id}.")
