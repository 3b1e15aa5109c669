"""What the documents list is what the code has: variables, requirements."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_ROOMS = ("mashsite", "workspaces", "agents", "runtime", "workflows", "telemetry", "docker", "examples")
_READ = re.compile(r"(?:env_\w+|environ\.get|environment\.get)\(\s*\"([A-Z][A-Z_]+)\"|\$\{([A-Z][A-Z_]+):-")
# Django's own, set and not read by us
_NOT_OURS = {"DJANGO_SETTINGS_MODULE"}


def variables_in_code() -> set[str]:
    from agents.llm.catalogue import VENDORS

    files = [file for room in _ROOMS for file in (ROOT / room).rglob("*") if file.suffix in {".py", ".sh"}]
    found = {one or other for file in files for one, other in _READ.findall(file.read_text())}
    vendors = {vendor.variable_prefix for vendor in VENDORS.values()}
    return (found | {f"{prefix}_{name}" for prefix in vendors for name in ("API_KEY", "BASE_URL", "MODEL")}) - _NOT_OURS


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    rows = [line for line in (ROOT / "docs/configuration.md").read_text().splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([A-Z][A-Z_]+)`", row.split("|")[1])}
    read = variables_in_code()
    assert (read - documented, documented - read - {"MASH_API_BASE_URL"}) == (set(), set())


def test_every_requirement_has_its_reason() -> None:
    text = (ROOT / "docs/dependencies.md").read_text()
    listed = {
        name.strip() for row in re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE) for name in re.split(r",| \(", row)
    }
    names = set()
    for file in ("requirements.txt", "requirements-dev.txt"):
        names |= set(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==", (ROOT / file).read_text(), re.MULTILINE))
    assert names - listed == set()


def test_every_requirement_is_pinned_in_the_constraints() -> None:
    pins = {_name(line) for line in (ROOT / "constraints.txt").read_text().splitlines()}
    wanted = {
        _name(line)
        for file in ("requirements.txt", "requirements-dev.txt")
        for line in (ROOT / file).read_text().splitlines()
        if "==" in line
    }
    assert wanted <= pins


def test_links_of_the_documents_lead_somewhere() -> None:
    for file in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", file.read_text()):
            assert (file.parent / target).exists() or target == "docs/benchmarks.md", f"{file.name}: {target}"


def _name(line: str) -> str:
    return re.sub(r"\[.*\]", "", line.replace("_", "-").lower())
