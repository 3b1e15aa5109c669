from collections.abc import Iterator

import pytest

from runtime.client import MashClient
from tests.runtime.repl.fake_host import KEY, FakeHost, serving


@pytest.fixture
def host() -> Iterator[FakeHost]:
    with serving(FakeHost()) as fake:
        yield fake


@pytest.fixture
def client(host: FakeHost) -> Iterator[MashClient]:
    with MashClient(host.url, KEY) as opened:
        yield opened
