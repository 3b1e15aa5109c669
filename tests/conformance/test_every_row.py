"""Each row of the contract's appendix A is claimed by exactly one test, marked `appendix_a("A7")`, wherever it lives."""

import re
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
ROWS = {f"A{number}" for number in range(1, 36)}


def test_every_row_is_claimed_once() -> None:
    claimed = Counter(
        row
        for path in TESTS.rglob("test_*.py")
        for rows in re.findall(r"^@pytest\.mark\.appendix_a\(([^)]*)\)$", path.read_text(), re.MULTILINE)
        for row in re.findall(r'"(A\d+)"', rows)
    )
    assert set(claimed) == ROWS
    assert set(claimed.values()) == {1}
