import json
from pathlib import Path

import pytest

from runtime.client import MashHostClientError
from runtime.repl.connection import Connection, NoConnection, advice, find_connection

LOCAL = {"api_base_url": "http://127.0.0.1:8000", "api_key": "local"}
ENVIRONMENT = {"MASH_API_BASE_URL": "http://env", "MASH_API_KEY": "env"}


@pytest.fixture
def local_file(tmp_path: Path) -> Path:
    file = tmp_path / "local.json"
    file.write_text(json.dumps(LOCAL))
    return file


@pytest.mark.parametrize(
    ("url", "key", "environment", "expected"),
    [
        ("http://flag", "flag", ENVIRONMENT, ("http://flag", "flag")),
        ("http://flag", None, ENVIRONMENT, ("http://flag", "env")),
        (None, None, ENVIRONMENT, ("http://env", "env")),
        (None, "flag", ENVIRONMENT, ("http://env", "flag")),
        (None, None, {}, ("http://127.0.0.1:8000", "local")),
        (" ", None, {"MASH_API_KEY": "env"}, ("http://127.0.0.1:8000", "env")),
    ],
)
def test_flags_win_over_the_environment_and_that_over_the_local_deployment(
    local_file: Path, url: str | None, key: str | None, environment: dict[str, str], expected: tuple[str, str]
):
    found = find_connection(api_base_url=url, api_key=key, environment=environment, local_file=local_file)
    assert found == Connection(api_base_url=expected[0], api_key=expected[1])


def test_the_local_key_is_given_to_no_other_deployment(local_file: Path):
    found = find_connection(api_base_url="http://elsewhere", api_key=None, environment={}, local_file=local_file)
    assert found.api_key == ""


def test_without_any_deployment_it_says_how_to_start_one(tmp_path: Path):
    with pytest.raises(NoConnection, match="make run"):
        find_connection(api_base_url=None, api_key=None, environment={}, local_file=tmp_path / "local.json")


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"api_key": "x"}'])
def test_a_broken_local_file_is_named(tmp_path: Path, content: str):
    file = tmp_path / "local.json"
    file.write_text(content)
    with pytest.raises(NoConnection, match=r"local\.json cannot be read"):
        find_connection(api_base_url=None, api_key=None, environment={}, local_file=file)


@pytest.mark.parametrize(
    ("status", "code", "part"),
    [(None, "", "make run"), (401, "UNAUTHORIZED", "--api-key"), (404, "AGENT_NOT_FOUND", "/agents"), (500, "", "log")],
)
def test_each_failure_comes_with_what_to_do_next(status: int | None, code: str, part: str):
    assert part in advice(MashHostClientError("no", method="GET", path="/", status=status, code=code))
