"""The fields of an agent's definition as a form; `AgentDefinition` itself judges what is entered."""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.html import format_html
from pydantic import ValidationError

from agents.catalogue import offered_tools
from agents.definition import AgentDefinition
from agents.models import Agent
from workspaces.models import Workspace

LINES = ("capabilities", "skills", "mcp_servers", "subagents", "requires_approval")
PROVIDERS = (
    ("anthropic", "Anthropic"),
    ("openai", "OpenAI"),
    ("openai_chat", "OpenAI-compatible server"),
    ("demo", "Demo (offline, for trying things out)"),
)
if TYPE_CHECKING:
    # Generic in the stubs only.
    AgentModelForm = forms.ModelForm[Agent]
else:
    AgentModelForm = forms.ModelForm


def _number(help_text: str, *, label: str | None = None, required: bool = True) -> forms.IntegerField:
    return forms.IntegerField(help_text=help_text, label=label, required=required)


def text_area(rows: int, help_text: str, *, label: str | None = None, required: bool = False) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, "class": "vLargeTextField"})
    return forms.CharField(widget=widget, help_text=help_text, label=label, required=required, strip=False)


def _line(help_text: str) -> forms.CharField:
    return forms.CharField(required=False, help_text=help_text, widget=forms.TextInput(attrs={"class": "vTextField"}))


class DefinitionForm(AgentModelForm):
    display_name = _line("What people see. Empty: the agent's id.")
    provider = forms.ChoiceField(choices=PROVIDERS, help_text="Who runs the model.")
    model = _line("The provider's name for the model. Empty: the provider's default.")
    credential = forms.ChoiceField(
        required=False, help_text="The workspace's key for this provider. Add keys under Provider credentials."
    )
    temperature = forms.FloatField(help_text="0 is steady, 2 is wild. Ignored where a model does not take it.")
    max_tokens = _number("The most that one answer of the model may hold.", label="Max tokens per answer")
    prompt_caching_enabled = forms.BooleanField(
        required=False, label="Prompt caching", help_text="Cheaper repeated context, where the provider offers it."
    )
    system_prompt = text_area(
        12, "What the agent is, knows and does. A JSON list of content blocks is taken as such.", required=True
    )
    tools = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, help_text="What the agent may do besides answering."
    )
    memory_tools = forms.BooleanField(
        required=False, label="Memory tools", help_text="Lets the agent search and read its earlier conversations."
    )
    skills_enabled = forms.BooleanField(
        required=False, label="Use skills", help_text="Lets the agent look up instructions that it is given as skills."
    )
    skills = text_area(2, "Names of the workspace's skills, one per line. Empty: all of them, if skills are on.")
    mcp_servers = text_area(
        2, "Names of the workspace's MCP servers whose tools the agent gets, one per line.", label="MCP servers"
    )
    requires_approval = text_area(2, "Tools that a person must approve before each call, one per line; * means all.")
    subagents = text_area(
        2, "Who this agent may hand work to, one id per line. Empty: a primary agent to all, a subagent to nobody."
    )
    max_delegation_depth = _number("Levels of delegation at which the agent may still hand work on. 0: never.")
    max_fan_out = _number("Delegations that one step may make.")
    fallback_provider = forms.ChoiceField(
        required=False, choices=(("", "None"), *PROVIDERS), help_text="Asked when the first provider is down."
    )
    fallback_model = _line("The model of the fallback provider. Empty: its default.")
    fallback_credential = forms.ChoiceField(required=False, help_text="The workspace's key for the fallback provider.")
    max_cost_usd = forms.FloatField(
        required=False, label="Cost limit", help_text="US dollars that one request may cost."
    )
    description = text_area(2, "What the agent does, for people and for the primary agent.")
    capabilities = text_area(3, "One per line: what it is able to do.")
    usage_guidance = text_area(3, "When the primary agent should hand a task to this agent, and how.")
    max_steps = _number("Model calls that one request may take.")
    deadline_s = _number("Seconds that one request may take. Empty: no limit.", label="Deadline", required=False)
    max_concurrent_requests = _number("Requests that run at the same time. Empty: no limit.", required=False)
    conversation_history_turns = _number("Earlier turns of the session that the model sees again.")
    compaction_token_threshold = _number("Summarize the session above this many tokens. 0: never.")
    compaction_turn_limit = _number("Turns that one summary covers at most.")
    compaction_temperature = forms.FloatField(help_text="Temperature for writing summaries.")
    model_timeout_s = _number("Seconds to wait for one answer of the model.", label="Model timeout")
    model_attempts = _number("Calls per answer when the provider fails for a moment.")

    class Meta:
        model = Agent
        fields: tuple[str, ...] = ()

    def definition_values(self) -> dict[str, Any]:
        """What was entered, as `AgentDefinition` takes it."""
        values = {name: value for name, value in self.cleaned_data.items() if name in AgentDefinition.model_fields}
        for name in ("description", "usage_guidance"):
            values[name] = plain_newlines(values[name])
        for name in LINES:
            values[name] = [line.strip() for line in plain_newlines(values[name]).split("\n") if line.strip()]
        values["subagents"] = values["subagents"] or None
        values["system_prompt"] = prompt_from(values["system_prompt"])
        return values

    def add_definition_errors(self, error: ValidationError) -> None:
        for fault in error.errors(include_url=False, include_input=False):
            field = str(fault["loc"][0]) if fault["loc"] else None
            self.add_error(field if field in self.fields else None, f"{fault['msg']}.")


def initial_values(definition: AgentDefinition) -> dict[str, Any]:
    """The definition as the form shows it."""
    values = definition.model_dump()
    values |= {name: "\n".join(values[name] or ()) for name in LINES}
    values["tools"] = list(values["tools"])
    values["system_prompt"] = prompt_text(definition)
    return values


def prompt_text(definition: AgentDefinition) -> str:
    prompt = definition.system_prompt
    return prompt if isinstance(prompt, str) else json.dumps(prompt, indent=2, ensure_ascii=False)


def prompt_from(text: str) -> str | list[dict[str, Any]]:
    text = plain_newlines(text)
    try:
        blocks = json.loads(text)
    except ValueError:
        return text
    is_blocks = isinstance(blocks, list) and bool(blocks) and all(isinstance(block, dict) for block in blocks)
    return blocks if is_blocks else text


def plain_newlines(text: str) -> str:
    """Browsers send CRLF, which would make every save a change."""
    return text.replace("\r\n", "\n")


def tool_choices(chosen: tuple[str, ...], workspaces: list[Workspace]) -> list[tuple[str, str]]:
    """Every tool offered there with what it says about itself, and chosen ones that are gone, so that they can be unticked."""
    tools = [make() for workspace in workspaces for make in offered_tools(workspace).values()]
    offered = {tool.name: f"{tool.description.strip().splitlines()[0]} {tool.note}".strip() for tool in tools}
    gone = {name: "not offered by this deployment" for name in chosen if name not in offered}
    return [(name, f"{name}: {about}") for name, about in {**offered, **gone}.items()]


def names_help(help_text: str, names: list[str], *, most: int) -> str:
    """The help text with the names that there are; the admin shows help texts as HTML."""
    told = ", ".join(names[:most]) + (", …" if len(names) > most else "")
    return format_html("{} In this workspace: {}.", help_text, told or "none yet")


def credential_choices(workspaces: list[Workspace], *, chosen: str, empty: str) -> list[Any]:
    """Names of credentials; grouped where the workspace is still open."""
    groups = {
        str(workspace): [(credential.name, str(credential)) for credential in workspace.credentials.all()]
        for workspace in workspaces
    }
    known = {name for group in groups.values() for name, _ in group}
    gone = [(chosen, f"{chosen} (missing)")] if chosen and chosen not in known else []
    listed: list[Any] = (
        list(groups.items()) if len(groups) > 1 else [pair for group in groups.values() for pair in group]
    )
    return [("", empty), *listed, *gone]
