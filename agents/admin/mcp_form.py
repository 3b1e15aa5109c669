"""The form of an MCP server: headers and environment go in and never come out again."""

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django import forms
from typing_extensions import override

from agents.mcp.allowed import stdio_is_allowed
from agents.mcp.models import McpServer

if TYPE_CHECKING:
    McpServerModelForm = forms.ModelForm[McpServer]
else:
    McpServerModelForm = forms.ModelForm

Transport = McpServer.Transport
_MOST_LINES = 50
_LONGEST_VALUE = 8_000
_MOST_SECONDS = 600
# These are the transport's own business.
_OWN_HEADERS = re.compile(r"(?i)(host|accept|accept-encoding|connection|content-.*|transfer-encoding|upgrade|mcp-.*)")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


class SecretTextarea(forms.Textarea):
    """Shows nothing of what was entered, not even in a form that has to be corrected."""

    @override
    def format_value(self, value: Any) -> str:
        return ""


def _lines(help_text: str, widget: type[forms.Textarea] = forms.Textarea) -> forms.CharField:
    area = widget(attrs={"rows": 3, "class": "vLargeTextField", "autocomplete": "off"})
    return forms.CharField(required=False, widget=area, help_text=help_text, strip=False, max_length=100_000)


class McpServerForm(McpServerModelForm):
    args = _lines("One argument per line.")
    allowed_tools = _lines("Names of the only tools to offer, one per line. Empty: all.")
    headers = _lines(
        "One per line, as Name: value. Stored encrypted and never shown again. Empty: the stored ones stay.",
        SecretTextarea,
    )
    env = _lines(
        "One per line, as NAME=value. Stored encrypted and never shown again. Empty: the stored ones stay.",
        SecretTextarea,
    )
    forget_secrets = forms.BooleanField(required=False, label="Remove the stored headers and variables")

    class Meta:
        model = McpServer
        fields = (
            "workspace", "name", "transport", "url", "command", "args", "description", "allowed_tools", "timeout_s",
            "is_enabled", "new_tools_need_approval", "allow_sampling", "allow_elicitation",
        )  # fmt: skip
        help_texts = {
            "name": "By this name agents choose it, and its tools are called mcp_name_tool.",
            "url": "Of the MCP endpoint; without a path, /mcp is taken.",
            "command": "The program to start for stdio, if the operator lets this workspace do so.",
            "description": "What the server is for.",
            "timeout_s": "Seconds that one call may take.",
            "new_tools_need_approval": "A tool that appears later is not offered until it is approved. One whose "
            "description or arguments change never is.",
            "allow_sampling": "The server may ask the agent's model during a call.",
            "allow_elicitation": "The server may ask the person who uses the agent during a call.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"args", "allowed_tools"} & set(self.fields):
            self.initial[name] = "\n".join(getattr(self.instance, name) or [])

    def clean_args(self) -> list[str]:
        return [line for line in _split(self.cleaned_data["args"], "arguments") if line]

    def clean_allowed_tools(self) -> list[str] | None:
        return [line.strip() for line in _split(self.cleaned_data["allowed_tools"], "tools") if line.strip()] or None

    def clean_headers(self) -> dict[str, str]:
        headers = _pairs(self.cleaned_data["headers"], separator=":", name=_HEADER_NAME)
        for name, value in headers.items():
            if _OWN_HEADERS.fullmatch(name):
                raise forms.ValidationError(f"{name} is set by the transport itself.")
            if not (value.isascii() and value.isprintable()):
                raise forms.ValidationError(f"{name} holds characters that no HTTP header can carry.")
        return headers

    def clean_env(self) -> dict[str, str]:
        return _pairs(self.cleaned_data["env"], separator="=", name=_VARIABLE_NAME)

    def clean_timeout_s(self) -> int:
        seconds: int = self.cleaned_data["timeout_s"]
        if not 0 < seconds <= _MOST_SECONDS:
            raise forms.ValidationError(f"Between 1 and {_MOST_SECONDS} seconds.")
        return seconds

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        if url and (fault := _url_fault(url)):
            raise forms.ValidationError(fault)
        return url

    @override
    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.instance.agent_id:
            return values
        if values.get("transport") == Transport.STDIO:
            self._check_process(values)
        elif not values.get("url") and "url" not in self.errors:
            self.add_error("url", "Enter the address of the server.")
        if self._address_changed(values) and self.instance.encrypted_secrets and not self._secrets_are_settled(values):
            self.add_error(None, "The stored headers and variables belong to the old address: enter them again.")
        return values

    def _check_process(self, values: dict[str, Any]) -> None:
        workspace = values.get("workspace") or (self.instance.workspace if self.instance.pk else None)
        if workspace and not stdio_is_allowed(workspace):
            self.add_error("transport", "The operator lets this workspace start no process.")
        if not values.get("command"):
            self.add_error("command", "Enter the program to start.")

    def _address_changed(self, values: dict[str, Any]) -> bool:
        if not self.instance.pk:
            return False
        before = self.initial
        if values.get("transport") == Transport.STDIO:
            return bool({"transport", "command", "args"} & set(self.changed_data))
        return _origin(str(before.get("url", ""))) != _origin(str(values.get("url", "")))

    @staticmethod
    def _secrets_are_settled(values: dict[str, Any]) -> bool:
        return bool(values.get("headers") or values.get("env") or values.get("forget_secrets"))


def _split(text: str, what: str) -> list[str]:
    lines = text.replace("\r\n", "\n").split("\n")
    if len(lines) > _MOST_LINES:
        raise forms.ValidationError(f"At most {_MOST_LINES} {what}.")
    if any("\x00" in line for line in lines):
        raise forms.ValidationError("NUL is not text.")
    return lines


def _pairs(text: str, *, separator: str, name: re.Pattern[str]) -> dict[str, str]:
    """The lines as names and values. A wrong line is not repeated in the message: it may hold a secret."""
    pairs: dict[str, str] = {}
    for number, line in enumerate(_split(text, "lines"), start=1):
        if not line.strip():
            continue
        key, found, value = line.partition(separator)
        if not (found and name.fullmatch(key.strip()) and len(value) <= _LONGEST_VALUE):
            raise forms.ValidationError(f"Line {number} does not read name{separator}value.")
        pairs[key.strip()] = value.strip()
    return pairs


def _url_fault(url: str) -> str:
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return "This is not a URL."
    if parts.scheme not in ("http", "https") or not parts.hostname or not has_port:
        return "Start with http:// or https:// and a host."
    if "@" in parts.netloc:
        return "Give user names, passwords and keys in a header, not in the URL."
    return "" if url.isprintable() and " " not in url else "A URL holds no blanks."


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()
