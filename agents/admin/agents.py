"""The agents' pages: one form, immutable versions, and a switch with overrides for what code defines."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from typing_extensions import override

from agents.admin.agent_form import AgentForm
from agents.admin.code_form import OVERRIDES, CodeAgentForm
from agents.admin.versions import VersionedAdmin
from agents.catalogue import code_agents
from agents.check import definition_faults, lacks_environment_key
from agents.delegation_cycle import delegation_fault
from agents.models import Agent, AgentVersion
from agents.versions import definition_yaml, restore_version, save_version, version_diff
from workspaces import audit
from workspaces.admin.access import Access, access_of
from workspaces.admin.filters import WorkspaceFilter
from workspaces.roles import Scope

_IDENTITY = ("agent_id", "display_name", "is_enabled")
_FOLDED = ("collapse",)
_SECTIONS: Any = (
    (
        "Model",
        {
            "fields": ("provider", "credential", "model", ("max_tokens", "temperature"), "prompt_caching_enabled"),
            "description": "Who thinks. The demo provider answers offline, so an agent can be tried without a key.",
        },
    ),
    ("Instructions", {"fields": ("system_prompt",)}),
    (
        "Tools",
        {
            "fields": ("tools", "requires_approval", "memory_tools", "skills_enabled", "skills", "mcp_servers"),
            "description": "What the agent may do besides answering, and for which of it a person is asked first.",
        },
    ),
    (
        "Role",
        {
            "fields": ("role", "description", "capabilities", "usage_guidance", "position"),
            "description": "A subagent needs a display name, description, capabilities and usage guidance: they tell the "
            "primary agent when to call it.",
        },
    ),
    (
        "Delegation",
        {
            "fields": ("subagents", ("max_delegation_depth", "max_fan_out")),
            "description": "Whom this agent may hand work to. Work must not be able to come back to it.",
        },
    ),
    (
        "Fallback model",
        {
            "fields": ("fallback_provider", "fallback_credential", "fallback_model"),
            "description": "Asked when the first provider cannot be reached. None: the request fails then.",
            "classes": _FOLDED,
        },
    ),
    (
        "Limits",
        {
            "fields": (
                "max_steps",
                "deadline_s",
                "max_cost_usd",
                "max_concurrent_requests",
                ("model_timeout_s", "model_attempts"),
            ),
            "description": "Where a request ends that would else go on, take long or cost much.",
            "classes": _FOLDED,
        },
    ),
    (
        "Memory",
        {
            "fields": (
                "conversation_history_turns",
                ("compaction_token_threshold", "compaction_turn_limit"),
                "compaction_temperature",
            ),
            "description": "What the model sees again of a long session, and when it is summarized.",
            "classes": _FOLDED,
        },
    ),
)
_VERSION = ("Version", {"fields": ("note",)})
_CODE = (
    (None, {"fields": ("workspace", "agent_id", "is_gone", "is_enabled")}),
    (
        "Overrides",
        {
            "fields": OVERRIDES,
            "description": "This agent is defined in code. The workspace may switch it off and override what stands here.",
        },
    ),
    ("Definition in effect", {"fields": ("definition_text",)}),
)
_VIEW = (
    (None, {"fields": ("workspace", "agent_id", "source", "role", "is_enabled", "position", "created_at")}),
    ("Definition", {"fields": ("definition_text",)}),
)
_SETTINGS = ("role", "is_enabled", "position")


@admin.register(Agent)
class AgentAdmin(VersionedAdmin):
    view_scope = Scope.AGENTS_READ
    write_scope = Scope.AGENTS_WRITE
    list_display = ("agent_id", "display_name", "role", "is_enabled", "model_name", "version", "source", "workspace")
    list_select_related = ("current_version", "workspace")
    list_filter = ("role", "is_enabled", "is_gone", "source", WorkspaceFilter)
    search_fields = ("agent_id", "current_version__definition__display_name", "current_version__definition__model")
    search_help_text = "A part of the id, the name or the model."
    ordering = ("workspace__slug", "position", "id")
    change_form_template = "admin/agents/agent_change_form.html"

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        """Without those that stand for workflows, which have pages of their own."""
        return super().get_queryset(request).exclude(role=Agent.Role.WORKFLOW)

    @admin.display(description="Name")
    def display_name(self, agent: Agent) -> str:
        return agent.definition.display_name

    @admin.display(description="Model")
    def model_name(self, agent: Agent) -> str:
        return f"{agent.definition.provider} {agent.definition.model}".strip()

    @admin.display(description="Version")
    def version(self, agent: Agent) -> str:
        return f"v{agent.current_version.number}" if agent.current_version else ""

    @admin.display(description="As YAML")
    def definition_text(self, agent: Agent) -> str:
        content = agent.definition.model_dump(mode="json")
        return format_html("<pre>{}</pre>", definition_yaml(content))

    @override
    def difference(self, older: AgentVersion | None, newer: AgentVersion) -> str:
        return version_diff(older, newer)

    @override
    def bring_back(self, version: AgentVersion, access: Access) -> AgentVersion:
        return restore_version(version, actor=access.actor, author=access.user)

    @override
    def faults_of(self, restored: AgentVersion) -> list[str]:
        agent, definition = restored.agent, restored.typed_definition
        faults = [*definition_faults(agent.workspace, definition).values()]
        faults.append(delegation_fault(agent.workspace, agent.agent_id, agent.role, definition))
        return [fault for fault in faults if fault]

    @override
    def may_restore(self, request: HttpRequest, row: Agent) -> bool:
        """What code defines would come back at the next start."""
        return row.source == Agent.Source.DATABASE and super().may_restore(request, row)

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.source == Agent.Source.CODE and obj.agent_id not in code_agents():
            return False
        return super().has_change_permission(request, obj)

    @override
    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj and not self.has_change_permission(request, obj):
            return super().get_form(request, obj, change, **kwargs)
        if obj and obj.source == Agent.Source.CODE:
            return super().get_form(request, obj, change, form=CodeAgentForm, **kwargs)
        form: Any = super().get_form(request, obj, change, form=AgentForm, **kwargs)
        form.access = access_of(request)
        return form

    @override
    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj and not self.has_change_permission(request, obj):
            return _VIEW
        if obj and obj.source == Agent.Source.CODE:
            return _CODE
        return ((None, {"fields": ("workspace", *_IDENTITY)}), *_SECTIONS, _VERSION)

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [
            *super().get_readonly_fields(request, obj),
            *(["agent_id", "is_gone", "definition_text"] if obj else []),
        ]

    @override
    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context["may_send"] = obj is not None and access_of(request).allows(Scope.AGENTS_RUN, obj.workspace_id)
        return super().render_change_form(request, context, add, change, form_url, obj)

    @override
    def save_model(self, request: HttpRequest, obj: Agent, form: "ModelForm[Any]", change: bool) -> None:
        access, asked = access_of(request), form.cleaned_data
        definition = getattr(form, "definition")  # noqa: B009  both forms have it once they are valid
        if change:
            self._save_settings(obj, form, actor=access.actor)
        else:
            obj.created_at = timezone.now()
            obj.save(force_insert=True)
        save_version(obj, definition, actor=access.actor, author=access.user, note=asked.get("note", ""))
        if lacks_environment_key(definition) and obj.source == Agent.Source.DATABASE:
            text = "No credential is chosen, and this server's environment holds no key for the provider."
            self.message_user(request, text, messages.WARNING)

    def _save_settings(self, agent: Agent, form: "ModelForm[Any]", *, actor: str) -> None:
        changed = [name for name in _SETTINGS if name in form.changed_data]
        if agent.source == Agent.Source.CODE:
            agent.save(update_fields=["is_enabled", "overrides"])
        elif changed:
            agent.save(update_fields=changed)
        if changed:
            details = {name: form.cleaned_data[name] for name in changed}
            audit.record(agent.workspace, actor=actor, action="agent.changed", target=agent.agent_id, details=details)
