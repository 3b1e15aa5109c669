"""Runs beside one child process, as a script without site-packages, and sees to it that nothing of the child survives.

It reads what to run from its standard input and keeps that open as a lifeline: when it closes, because the worker wants an
end or has died, everything that the child has started is killed. What it has to tell goes to standard error as JSON.
"""

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

_SET_PARENT_DEATH_SIGNAL, _SET_CHILD_SUBREAPER, _SET_NO_NEW_PRIVILEGES = 1, 36, 38
_NEW_MOUNTS, _NEW_IPC, _NEW_PIDS, _NEW_NETWORK = 0x00020000, 0x08000000, 0x20000000, 0x40000000
_MOUNT_NOSUID, _MOUNT_NODEV, _MOUNT_NOEXEC, _MOUNT_READ_ONLY = 2, 4, 8, 1
_MOUNT_BIND, _MOUNT_RECURSIVE, _MOUNT_PRIVATE = 4096, 16384, 1 << 18
_KILL_WITHIN_S = 2.0
# Where anybody may write on an ordinary machine, with what a child may put there
_SCRATCH = {"/tmp": "256m", "/var/tmp": "64m", "/dev/shm": "64m", "/run/lock": "1m"}  # noqa: S108  private ones
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    config = json.loads(sys.stdin.buffer.readline())
    _prctl(_SET_CHILD_SUBREAPER, 1)
    try:
        child = _start(config)
    except OSError as error:
        _tell(failure=str(error))
        return
    exit_code = _wait(child)
    _tell(exit_code=exit_code, left_behind=_kill_everything())


def _wait(child: int) -> int | None:
    """Its exit code, or None when the lifeline closed first."""
    watched = os.pidfd_open(child)
    ready, _, _ = select.select([watched, 0], [], [])
    return _exit_code(os.waitpid(child, 0)[1]) if watched in ready else None


def _start(config: dict[str, Any]) -> int:
    """Forks the child; an error on its way to `exec` is raised here."""
    stdin = os.memfd_create("stdin")
    with open(stdin, "wb", closefd=False) as file:
        file.write(bytes.fromhex(config["stdin"]))
    os.lseek(stdin, 0, os.SEEK_SET)
    if config["walls"] is not None:
        _raise_walls(config["walls"], config["directory"])
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        _become(config, stdin, failures=writes)
    os.close(writes)
    with os.fdopen(reads) as failures:
        if failure := failures.read():
            raise OSError(failure)
    return child


def _become(config: dict[str, Any], stdin: int, *, failures: int) -> None:
    """In the forked child: never returns."""
    try:
        os.setsid()
        os.dup2(stdin, 0)
        os.dup2(1, 2)
        if config["walls"] is None:
            os.chdir(config["directory"])
        else:
            # The keeper needs its own view of /proc.
            _unshare(_NEW_MOUNTS)
            _mount("proc", "/proc", "proc", _MOUNT_NOSUID | _MOUNT_NODEV | _MOUNT_NOEXEC)
            os.chdir(config["walls"]["directory"])
            _split_off_first_process()
        _restrict(config)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execve(config["arguments"][0], config["arguments"], config["environment"])  # noqa: S606  that is the point
    except (OSError, ValueError) as error:
        os.write(failures, str(error).encode())
    finally:
        os._exit(127)


def _split_off_first_process() -> None:
    """The first process of a namespace ignores most signals and must reap orphans: that is not work for the child itself."""
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    child = os.fork()
    if child == 0:
        os.setsid()
        return
    # The error pipe closes at the child's exec, so it must not stay open here; nor may the output pipe.
    os.closerange(0, 1024)
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(_exit_code(status))


def _exit_code(status: int) -> int:
    """As a shell tells it: 128 and the signal's number for a process that a signal has ended."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _restrict(config: dict[str, Any]) -> None:
    os.umask(0o077)
    if config["limits"] is not None:
        _limit(**config["limits"], is_own_user=config["user_id"] is None)
    if config["user_id"] is not None:
        os.setgroups([])
        os.setresgid(*[config["group_id"]] * 3)
        os.setresuid(*[config["user_id"]] * 3)
    _prctl(_SET_NO_NEW_PRIVILEGES, 1)
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _limit(
    *, cpu_s: int, memory_bytes: int, file_bytes: int, processes: int, open_files: int, is_own_user: bool
) -> None:
    os.nice(10)
    with contextlib.suppress(OSError):
        # If memory runs out, the kernel should take this one and not the server.
        Path("/proc/self/oom_score_adj").write_text("1000")
    # The server's own threads count too where the child runs as the server's user.
    limits = {
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_NPROC: processes + (_tasks_of(os.getuid()) if is_own_user else 0),
        resource.RLIMIT_NOFILE: open_files,
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in limits.items():
        hard = resource.getrlimit(kind)[1]
        most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (most, most))


def _tasks_of(user_id: int) -> int:
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if process.stat().st_uid == user_id:
                count += len(os.listdir(process / "task"))
    return count


def _raise_walls(walls: dict[str, Any], working_directory: str) -> None:
    _unshare(_NEW_MOUNTS | _NEW_IPC | _NEW_PIDS | (0 if walls["network"] else _NEW_NETWORK))
    _mount("none", "/", "", _MOUNT_RECURSIVE | _MOUNT_PRIVATE)
    # Held open, as it may lie below a directory that is hidden next.
    directory = os.open(working_directory, os.O_RDONLY | os.O_DIRECTORY)
    guarded = _MOUNT_NOSUID | _MOUNT_NODEV
    for place, size in _SCRATCH.items():
        if Path(place).is_dir() and not Path(place).is_symlink():
            _mount("tmpfs", place, "tmpfs", guarded, f"size={size},mode=1777")
    Path(walls["directory"]).mkdir()
    _mount(f"/proc/self/fd/{directory}", walls["directory"], "", _MOUNT_BIND)
    for hidden in walls["hidden"]:
        if Path(hidden).is_dir():
            _mount("tmpfs", hidden, "tmpfs", guarded | _MOUNT_READ_ONLY, "size=4k,mode=755")


def _unshare(kinds: int) -> None:
    if _libc.unshare(kinds):
        raise OSError(ctypes.get_errno(), f"namespaces: {os.strerror(ctypes.get_errno())}")


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    if _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode()):
        raise OSError(ctypes.get_errno(), f"mount {target}: {os.strerror(ctypes.get_errno())}")


def _kill_everything() -> int:
    """Kills all descendants, as often as new ones appear; how many would not die."""
    deadline = time.monotonic() + _KILL_WITHIN_S
    while time.monotonic() < deadline:
        for pid in _descendants():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return 0
        time.sleep(0.005)
    return len(_descendants())


def _descendants() -> list[int]:
    """Orphans included: the kernel gives them to us as the nearest subreaper."""
    children: dict[int, list[int]] = {}
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            stat = Path("/proc", name, "stat").read_text(errors="replace")
            children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(name))
    found, generation = [], [os.getpid()]
    while generation:
        generation = [pid for parent in generation for pid in children.get(parent, [])]
        found += generation
    return found


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl: {os.strerror(ctypes.get_errno())}")


def _tell(**told: object) -> None:
    sys.stderr.write(json.dumps(told))
    sys.stderr.flush()


if __name__ == "__main__":
    main()
