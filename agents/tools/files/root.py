"""Opens files below one directory without ever leaving it: no link is followed, whoever changes the tree meanwhile."""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

IGNORED = frozenset({"node_modules", "vendor", "__pycache__", "site-packages", "dist", "build", "target", "venv"})
"""Folders of others' code and of products, which listings and searches leave out."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class NotAllowed(Exception):
    """The path leads nowhere that may be read; the text is for the model."""


class FileRoot:
    """Names that begin with a dot are not there: they hold keys, histories and caches."""

    def __init__(self, root: Path, *, without: Iterable[Path] = ()) -> None:
        self.path = root.expanduser().resolve()
        self._without = [path.expanduser().resolve() for path in without]

    @contextmanager
    def folder(self, path: str) -> Iterator[int]:
        """A descriptor of the folder."""
        descriptor = self._enter(self._parts(path), path)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def file(self, path: str) -> Iterator[int]:
        """A descriptor of the regular file."""
        parts = self._parts(path)
        if not parts:
            raise NotAllowed(f"{path!r} is a folder.")
        with self.folder("/".join(parts[:-1])) as folder:
            descriptor = open_file(folder, parts[-1], path)
            try:
                yield descriptor
            finally:
                os.close(descriptor)

    def is_hidden(self, folder: int, name: str) -> bool:
        """Whether a folder's entry is to be kept from sight."""
        return name.startswith(".") or self._is_excluded(folder, name)

    def _parts(self, path: str) -> list[str]:
        if path.startswith("/") or "\x00" in path or len(path) > 4000:
            raise NotAllowed(f"{path[:200]!r}: give a path relative to the root, such as src/main.py.")
        parts = [part for part in path.split("/") if part not in {"", "."}]
        if any(part.startswith(".") for part in parts):
            raise NotAllowed(f"{path[:200]!r}: names that begin with a dot cannot be read.")
        return parts

    def _enter(self, parts: list[str], path: str) -> int:
        try:
            folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise NotAllowed(f"The root cannot be opened: {error.strerror}.") from error
        for part in parts:
            try:
                if self._is_excluded(folder, part):
                    raise NotAllowed(f"{path!r}: there is no such folder.")
                inner = os.open(part, _FOLDER, dir_fd=folder)
            except OSError as error:
                raise NotAllowed(f"{path!r}: {_reason(error)}.") from error
            finally:
                os.close(folder)
            folder = inner
        return folder

    def _is_excluded(self, folder: int, name: str) -> bool:
        if not self._without:
            return False
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError:
            return False
        return any(path.exists() and os.path.samestat(found, path.stat()) for path in self._without)


def open_file(folder: int, name: str, path: str) -> int:
    """A descriptor of a regular file; a pipe or a device is not even opened, and a link not followed."""
    try:
        if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise NotAllowed(f"{path!r} is not a regular file.")
        descriptor = os.open(name, _FILE, dir_fd=folder)
    except OSError as error:
        raise NotAllowed(f"{path!r}: {_reason(error)}.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        # It was another file a moment ago.
        os.close(descriptor)
        raise NotAllowed(f"{path!r} is not a regular file.")
    return descriptor


def open_folder(folder: int, name: str) -> int:
    """A descriptor of a folder within a folder; `OSError` for a link."""
    return os.open(name, _FOLDER, dir_fd=folder)


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file or folder"
    if isinstance(error, NotADirectoryError):
        return "a part of it is not a folder, or a link"
    return error.strerror or type(error).__name__
