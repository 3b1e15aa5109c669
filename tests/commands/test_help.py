"""Every command of ours says how it is called and how it ends."""

import pytest
from django.core.management import get_commands, load_command_class

OURS = sorted((name, app) for name, app in get_commands().items() if name.startswith("mash_"))


@pytest.mark.parametrize(("name", "app"), OURS)
def test_help_holds_an_example_and_the_exit_codes(name: str, app: str) -> None:
    text = load_command_class(app, name).create_parser("manage.py", name).format_help()
    assert "Example" in text
    assert f"manage.py {name}" in text
    assert "Exit codes: 0" in text
