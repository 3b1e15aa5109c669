"""Words as search knows them, made here and not by a database, so that every database finds the same turns.

SQLite's FTS5 (tokenizer `ascii`) and PostgreSQL (`array_to_tsvector`) are given these words and split or fold nothing
themselves. The rules are those of FTS5's own `unicode61`: runs of letters and digits, without case and accents.
"""

import re
import unicodedata

MAX_INDEXED_CHARACTERS = 100_000
MAX_TERM_CHARACTERS = 64
_ACCENT = re.compile("[\u0300-\u036f]")
_TERM = re.compile(r"[^\W_]+")


def terms_of(text: str) -> list[str]:
    """The words of the first 100,000 characters, in order, repeats kept; long ones by their first 64 characters."""
    text = text[:MAX_INDEXED_CHARACTERS]
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = unicodedata.normalize("NFC", _ACCENT.sub("", decomposed).casefold())
    return [term[:MAX_TERM_CHARACTERS] for term in _TERM.findall(text.casefold())]
