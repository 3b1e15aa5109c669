"""The image's entry point on real PostgreSQL and Redis: two web and two worker processes, killed and drained."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.production.deployment import ROOT, Deployment, deployment, free_port, wait_until_serving
from tests.servers import postgresql, redis_server

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with (
        postgresql() as database_url,
        redis_server() as redis_url,
        deployment(tmp_path_factory.mktemp("deployment"), database_url, redis_url) as made,
    ):
        yield made


def test_a_deployment_from_an_empty_database_to_its_end(site: Deployment) -> None:
    for command in ("web", "worker"):
        early = site.run(command, MASH_START_WAIT_SECONDS="0")
        assert early.returncode == 1
        assert "lacks" in early.stderr
        assert "Run `migrate`" in early.stderr

    migrated = site.run("migrate")
    assert migrated.returncode == 0, migrated.stderr
    token = _set_up(site)

    ports = [free_port(), free_port()]
    webs = [site.start(f"web-{port}", "web", PORT=str(port)) for port in ports]
    workers = [site.start(f"worker-{number}", "worker") for number in (1, 2)]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    for url in urls:
        wait_until_serving(url)
    _check_probe_by_address(ports[0])

    assert _ask(urls, token, "first", 20) == ["completed"] * 20
    os.killpg(workers[0].pid, signal.SIGKILL)
    assert _ask(urls, token, "second", 20) == ["completed"] * 20
    _check_doctor(site)

    for process in [*webs, workers[1]]:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(timeout=20) for process in [*webs, workers[1]]] == [0, 0, 0]
    assert "Traceback" not in "".join(site.log(f"web-{port}") for port in ports) + site.log("worker-2")


def test_an_unreachable_database_is_named(site: Deployment) -> None:
    answer = site.run(
        "migrate", MASH_START_WAIT_SECONDS="0", MASH_DATABASE_URL=f"postgresql://mash@127.0.0.1:{free_port()}/mash"
    )
    assert answer.returncode == 1
    assert "cannot be reached" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_an_unknown_command_is_refused_with_the_known_ones(site: Deployment) -> None:
    answer = site.run("serve")
    assert answer.returncode == 2
    assert "web, worker, migrate" in answer.stderr


def _set_up(site: Deployment) -> str:
    """The first workspace with its owner, then a token for us."""
    first = site.run("setup")
    assert first.returncode == 0, first.stderr
    assert "shown once" in first.stdout
    issued = site.run("manage", "mash_token", "issue", "main", "--name", "test")
    assert issued.returncode == 0, issued.stderr
    return issued.stdout.strip()


def _ask(urls: list[str], token: str, prefix: str, count: int) -> list[str]:
    """Sends so many messages, to each web process in turn, and waits for all answers."""

    def ask(number: int) -> str:
        answer = httpx.post(
            f"{urls[number % len(urls)]}/api/v1/agent/assistant/request",
            json={"message": f"hello {number}", "session_id": f"{prefix}-{number}"},
            headers={"Authorization": f"Bearer {token}", "Prefer": "wait=30"},
            timeout=40,
        )
        answer.raise_for_status()
        return str(answer.json()["data"]["status"])

    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(ask, range(count)))


def _check_probe_by_address(port: int) -> None:
    """A probe names the machine by address, which no list of hosts holds; the container's own check passes too."""
    probe = httpx.get(f"http://127.0.0.1:{port}/healthz", headers={"Host": "10.0.0.7"}, timeout=5)
    assert probe.status_code == 200
    check = [sys.executable, str(ROOT / "docker" / "healthcheck.py")]
    assert subprocess.run(check, env={"PORT": str(port)}, timeout=10, check=False).returncode == 0
    assert subprocess.run(check, env={"PORT": str(free_port())}, timeout=10, check=False).returncode == 1


def _check_doctor(site: Deployment) -> None:
    answer = site.run("doctor", "--json")
    findings = {finding["subject"]: finding for finding in json.loads(answer.stdout)["findings"]}
    assert findings["database"]["text"].startswith("PostgreSQL")
    assert findings["redis"]["level"] == "ok"
    assert findings["workers"]["level"] == "ok"
    for secret in (site.secret_key, site.encryption_keys):
        assert secret not in answer.stdout + answer.stderr


def test_the_image_holds_no_secret_and_runs_as_nobody_in_particular() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER 10001" in lines
    assert not [line for line in lines if "SECRET" in line or "API_KEY" in line]
    assert {".git", ".mash", ".env*"} <= set((ROOT / ".dockerignore").read_text().split())
    assert os.access(Path(ROOT / "docker" / "entrypoint.sh"), os.X_OK)
