"""Reads JSON bodies, and says where a bad one is bad."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser
from typing_extensions import override

from workspaces.api.envelope import InvalidBody


class StrictJSONParser(BaseParser):
    """JSON in UTF-8; anything else is `VALIDATION_ERROR` with the place of the fault."""

    media_type = "application/json"

    @override
    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = stream.read()
        try:
            return json.loads(raw, parse_constant=_refuse_constant, parse_float=_finite)
        except UnicodeDecodeError as error:
            raise InvalidBody([_fault(error.start, "The body is not UTF-8.")]) from error
        except json.JSONDecodeError as error:
            raise InvalidBody([_fault(error.pos, f"The body is not JSON: {error.msg}.")]) from error
        except (ValueError, RecursionError) as error:
            raise InvalidBody([_fault(0, "The body is not JSON that can be read.")]) from error


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


def _fault(position: int, message: str) -> dict[str, Any]:
    return {"type": "json_invalid", "loc": ["body", position], "msg": message}
