"""Starts Mash with the pilot host: `python -m examples.pilot`."""

import argparse
import os
import shlex
import sys
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[2]
_EXAMPLE = """example:
  python -m examples.pilot --workspace-root . --port 8000

Without ANTHROPIC_API_KEY or OPENAI_API_KEY, no model is asked: an offline guide looks things up and says so."""


def main() -> None:
    options = _arguments()
    root = options.workspace_root.expanduser().resolve()
    if not root.is_dir():
        sys.exit(f"--workspace-root must be a folder; {root} is none.")
    os.environ |= {"MASH_HOST_APP": "examples.pilot.spec:build_host", "MASH_PILOT_ROOT": str(root)}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mashsite.settings")
    if options.data_dir:
        os.environ["MASH_DATA_DIR"] = str(options.data_dir.expanduser().resolve())
    if options.api_key:
        os.environ["MASH_API_KEY"] = options.api_key
    if sys.stdout.isatty():
        sys.stdout.write(f"To talk to the pilot, open a second terminal and run:\n\n  {_repl_command()}\n\n")
        sys.stdout.flush()
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", "mash_run", "--host", options.host, "--port", str(options.port)])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m examples.pilot",
        description="Run Mash with the pilot, a guide to a code base, and its copilots.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    default_root = os.environ.get("MASH_PILOT_ROOT", "").strip() or _REPOSITORY
    parser.add_argument(
        "--workspace-root", type=Path, default=Path(default_root), help="The code base to guide through."
    )
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    parser.add_argument(
        "--data-dir", type=Path, help="Where database and keys lie; default: MASH_DATA_DIR, or .mash here."
    )
    parser.add_argument("--api-key", help="The first token's text; default: MASH_API_KEY, or drawn and shown once.")
    return parser.parse_args()


def _repl_command() -> str:
    """Names the data directory where it is not the default, as the REPL finds the deployment by it."""
    data = os.environ.get("MASH_DATA_DIR", "").strip()
    setting = f"MASH_DATA_DIR={shlex.quote(str(Path(data).resolve()))} " if data else ""
    python, manage = shlex.quote(sys.executable), shlex.quote(str(_REPOSITORY / "manage.py"))
    return f"{setting}{python} {manage} mash_repl --agent pilot"


if __name__ == "__main__":
    main()
