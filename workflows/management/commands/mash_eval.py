"""`manage.py mash_eval`: datasets and experiments from a shell, and a gate for a pipeline."""

import json
import operator
import re
import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from typing_extensions import override

from agents.models import AgentVersion
from workflows.evals.compare import compare_experiments, experiment_figures
from workflows.evals.datasets import add_from_masher, add_lines, lines_of, make_dataset
from workflows.evals.experiments import Plan, start_experiment
from workflows.evals.models import Dataset, Experiment
from workspaces.errors import MashError
from workspaces.management.command import MashCommand, workspace_named
from workspaces.models import Workspace

_ACTOR = "command:mash_eval"
_LOOK_EVERY_S = 1.0
_GATE = re.compile(r"(pass_rate|low|score|cost_usd|p50_ms|p95_ms)\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?)")
_OPERATORS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


class Command(MashCommand):
    help = """Fill datasets, run an agent over them, and compare. A worker must run for an experiment to go on.

Examples:
  manage.py mash_eval import orders rows.jsonl           # lines like {"message": "Where is A-1?", "expected": "Lyon"}
  manage.py mash_eval masher orders                      # what Masher has kept, to be accepted in the browser
  manage.py mash_eval run orders --agent support --check '{"kind": "contains"}' --gate "pass_rate>=0.9"
  manage.py mash_eval run orders --agent support --agent-version 3 --judge critic --rubric "Polite, and true." --repeats 3
  manage.py mash_eval compare "orders 1" "orders 2"
  manage.py mash_eval export orders > rows.jsonl

A gate is pass_rate, low (the lower end of its 95% confidence interval), score, cost_usd, p50_ms or p95_ms against a number.
Exit codes: 0 done and every gate holds, 1 a gate does not hold, the experiment failed or was refused, 2 wrong arguments."""

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["list", "import", "export", "masher", "run", "show", "compare"])
        parser.add_argument(
            "name", nargs="?", default="", help="Of the dataset; of `show` and `compare`, the experiment."
        )
        parser.add_argument(
            "other", nargs="?", default="", help="Of `import` the file (- reads stdin); of `compare` the newer one."
        )
        parser.add_argument("--workspace", default="main", metavar="SLUG", help="Default: main.")
        parser.add_argument("--agent", default="", metavar="ID", help="Who answers.")
        parser.add_argument("--agent-version", type=int, metavar="N", help="Of the agent. Default: the current one.")
        parser.add_argument("--check", action="append", default=[], metavar="JSON", help="May be repeated.")
        parser.add_argument("--judge", default="", metavar="ID", help="The agent that judges answers.")
        parser.add_argument("--rubric", default="", help="What makes an answer good.")
        parser.add_argument("--repeats", type=int, default=1, help="How often each question is asked. Default: 1.")
        parser.add_argument("--concurrency", type=int, default=4, help="Questions at a time. Default: 4.")
        parser.add_argument("--experiment", default="", metavar="NAME", help="Default: the dataset and the time.")
        parser.add_argument("--gate", action="append", default=[], metavar="RULE", help="May be repeated.")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        workspace, verb = workspace_named(options["workspace"]), options["verb"]
        if verb != "list" and not options["name"]:
            raise CommandError(f"Which one? As in: mash_eval {verb} orders", returncode=2)
        try:
            getattr(self, f"_{verb}")(workspace, options)
        except MashError as error:
            raise CommandError(error.message, returncode=1) from error

    def _list(self, workspace: Workspace, options: dict[str, Any]) -> None:
        rows = [
            {"dataset": each.name, "rows": each.questions.count(), "experiments": each.experiments.count()}
            for each in workspace.datasets.all()
        ]
        self.show_table(rows, empty=f"The workspace {workspace.slug} has no dataset.")

    def _import(self, workspace: Workspace, options: dict[str, Any]) -> None:
        if not options["other"]:
            raise CommandError("From which file? As in: mash_eval import orders rows.jsonl", returncode=2)
        try:
            text = sys.stdin.read() if options["other"] == "-" else Path(options["other"]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['other']} cannot be read: {error}", returncode=1) from error
        with transaction.atomic():
            known = workspace.datasets.filter(name=options["name"]).first()
            dataset = known or make_dataset(workspace, options["name"], by=_ACTOR)
            added = add_lines(dataset, text)
        self.stdout.write(f"{added} rows added to {dataset.name}.")

    def _export(self, workspace: Workspace, options: dict[str, Any]) -> None:
        for line in lines_of(_dataset(workspace, options["name"])):
            self.stdout.write(line)

    def _masher(self, workspace: Workspace, options: dict[str, Any]) -> None:
        known = workspace.datasets.filter(name=options["name"]).first()
        dataset = known or make_dataset(workspace, options["name"], by=_ACTOR)
        added = add_from_masher(dataset, options["agent"])
        self.stdout.write(f"{added} rows added to {dataset.name}; accept them in the browser.")

    def _run(self, workspace: Workspace, options: dict[str, Any]) -> None:
        gates = [_gate(text) for text in options["gate"]]
        dataset = _dataset(workspace, options["name"])
        name = options["experiment"] or f"{dataset.name} {timezone.now():%Y-%m-%d %H:%M:%S}"
        wanted = Plan(
            name=name,
            agent_version=_version(workspace, options["agent"], options["agent_version"]),
            checks=[_json(text) for text in options["check"]],
            judge=options["judge"],
            rubric=options["rubric"],
            repeats=options["repeats"],
            max_concurrency=options["concurrency"],
        )
        experiment = start_experiment(dataset, wanted, by=_ACTOR)
        self._wait(experiment)
        figures = experiment_figures(experiment).as_json()
        self.show_json({"experiment": experiment.name, **figures})
        broken = [text for text, name, holds, limit in gates if not holds(figures[name] or 0, limit)]
        if broken:
            raise CommandError(f"The gate does not hold: {'; '.join(broken)}", returncode=1)

    def _wait(self, experiment: Experiment) -> None:
        row, done = experiment.agent_request, -1
        assert row  # noqa: S101  it was started
        while not row.is_terminal:
            time.sleep(_LOOK_EVERY_S)
            row.refresh_from_db()
            if (count := experiment.results.count()) != done:
                done = count
                self.stderr.write(f"... {done} answers")
        if row.status != "completed":
            raise CommandError((row.error or {}).get("error") or f"The experiment was {row.status}.", returncode=1)

    def _show(self, workspace: Workspace, options: dict[str, Any]) -> None:
        experiment = _experiment(workspace, options["name"])
        self.show_json({"experiment": experiment.name, **experiment_figures(experiment).as_json()})

    def _compare(self, workspace: Workspace, options: dict[str, Any]) -> None:
        before, after = (_experiment(workspace, options[name]) for name in ("name", "other"))
        comparison = compare_experiments(before, after)
        self.show_table(
            [
                {
                    "question": change.question_id,
                    "before": f"{change.before_rate:.0%}",
                    "after": f"{change.after_rate:.0%}",
                    "message": " ".join(change.message.split())[:60],
                }
                for change in comparison.changes
                if change.difference
            ],
            empty="No question has changed.",
        )
        told = [
            f"{each.pass_rate:.1%} ({each.low:.1%} to {each.high:.1%})"
            for each in (comparison.before, comparison.after)
        ]
        self.stdout.write(f"pass rate: {told[0]}, then {told[1]}; {comparison.regressions} questions are worse")


def _dataset(workspace: Workspace, name: str) -> Dataset:
    found = workspace.datasets.filter(name=name).first()
    if found is None:
        raise CommandError(f"There is no dataset {name!r}; `mash_eval list` shows those that exist.", returncode=1)
    return found


def _experiment(workspace: Workspace, name: str) -> Experiment:
    found = workspace.experiments.filter(name=name).first()
    if found is None:
        raise CommandError(f"There is no experiment {name!r}.", returncode=1)
    return found


def _version(workspace: Workspace, agent_id: str, number: int | None) -> AgentVersion:
    agent = workspace.agents.offered().select_related("current_version").filter(agent_id=agent_id).first()
    if agent is None or agent.current_version is None:
        raise CommandError(f"There is no agent {agent_id!r}; name one with --agent.", returncode=2)
    found = agent.versions.filter(number=number).first() if number else agent.current_version
    if found is None:
        raise CommandError(f"The agent {agent_id} has no version {number}.", returncode=1)
    return found


def _gate(text: str) -> Any:
    found = _GATE.fullmatch(text.strip())
    if found is None:
        raise CommandError(f"{text!r} is no gate; write it like pass_rate>=0.9", returncode=2)
    return text, found[1], _OPERATORS[found[2]], float(found[3])


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise CommandError(f"--check is no JSON: {error}", returncode=2) from error
