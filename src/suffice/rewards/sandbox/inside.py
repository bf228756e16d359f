"""The launcher of the sandbox: builds an empty world around a program and starts it there without privileges.

It runs as a script of its own (``python -I -S inside.py``), imports nothing but the standard library, reads one JSON
object from standard input and says on the file descriptor named in it how far it got:

1. fresh mount, process, network, IPC and host-name namespaces, by right of root or of a fresh user namespace;
2. a root of its own: a small file system in memory, the system's libraries and Python read-only, and no other file;
3. an unprivileged user in one more user namespace, without capabilities and with none to be had, under limits.

What cannot be done ends the launcher before the program starts, with the reason; nothing is left out silently.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import signal
import sys
from typing import Any, NoReturn

NOBODY = 65534
STARTED = b"started"  # what is told of a sandbox that is built
FAILED = 125  # the exit status of a launcher that could not build the sandbox

# Numbers of <sched.h>, <sys/mount.h> and <sys/prctl.h>, which the standard library of Python 3.11 lacks.
_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 1 << 17, 1 << 26, 1 << 27, 1 << 28, 1 << 29, 1 << 30
_APART = _NEWNS | _NEWUTS | _NEWIPC | _NEWPID | _NEWNET
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 8, 32, 1 << 12, 1 << 14, 1 << 18
_DETACH = 2
_PDEATHSIG, _DUMPABLE, _CAPBSET_DROP, _NO_NEW_PRIVS = 1, 4, 24, 38
_CAPABILITIES = 64
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}  # the C library has no name for this call

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> NoReturn:
    """Builds the sandbox and waits for the program; the exit status is the program's."""
    asked: dict[str, Any] = json.load(sys.stdin)
    status: int = asked["status"]
    try:
        _die_with_parent()
        by_root = _enter()
        first = (
            os.fork()
        )  # the first process of the new process namespace: when it ends, all in it are killed
        if first:
            os.close(status)
            _end_as(first)
        _die_with_parent()
        _build_root(asked)
        _become_nobody(by_root=by_root)
        program = os.fork()
        if program:
            os.close(status)
            _end_as(program)
        _limit(asked["limits"])
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.write(status, STARTED)
        os.close(status)
        os.execve(asked["command"][0], asked["command"], asked["environment"])
    except OSError as error:
        os.write(status, f"it cannot {error}".encode())
        os._exit(FAILED)


def _enter() -> bool:
    """Enters fresh namespaces; tells whether that was by right of root.

    A root without that right (as in most containers) first becomes nobody: with root's own user id a program
    could write the kernel's settings even without capabilities.
    """
    if os.geteuid() == 0:
        if _libc.unshare(_APART) == 0:
            return True
        _set_nobody()
    user, group = os.getuid(), os.getgid()
    _do("enter fresh namespaces", _libc.unshare(_NEWUSER | _APART))
    _map_ids(0, user, group)
    return False


def _build_root(asked: dict[str, Any]) -> None:
    """Builds the program's root in memory, with what it may read and a folder to work in, and enters it."""
    root: str = asked["root"]
    _mount("none", "/", None, _REC | _PRIVATE)
    _mount("sandbox", root, "tmpfs", _NOSUID | _NODEV, f"size={asked['disk']},nr_inodes=4096,mode=755")
    for path in asked["readable"]:
        _show(path, root + path)
    os.mkdir(f"{root}/dev")
    for name in ("null", "zero", "urandom"):
        _touch(f"{root}/dev/{name}")
        _mount(f"/dev/{name}", f"{root}/dev/{name}", None, _BIND)
    os.mkdir(f"{root}/work")
    for name, text in asked["files"].items():
        with open(f"{root}/work/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    os.chmod(f"{root}/work", 0o777)
    os.symlink("work", f"{root}/tmp")
    os.mkdir(f"{root}/proc")
    # A container that hides parts of its own /proc may not mount a fresh one; the program then sees an empty one.
    _libc.mount(b"proc", f"{root}/proc".encode(), b"proc", _NOSUID | _NODEV | _NOEXEC, None)
    os.chdir(root)
    os.mkdir("old")
    if platform.machine() not in _PIVOT_ROOT:
        raise OSError(f"change the root on {platform.machine()}")
    _do("change the root", _libc.syscall(_PIVOT_ROOT[platform.machine()], b".", b"old"))
    _do("let go of the old root", _libc.umount2(b"/old", _DETACH))
    os.rmdir("/old")
    os.chdir("/work")


def _show(path: str, place: str) -> None:
    """Makes a file or folder of the system readable, and no more, in the new root; links stay links."""
    os.makedirs(os.path.dirname(place), exist_ok=True)
    if os.path.islink(path):
        os.symlink(os.readlink(path), place)
        return
    if os.path.isdir(path):
        os.makedirs(place, exist_ok=True)
    else:
        _touch(place)
    _mount(path, place, None, _BIND | _REC)
    _mount("none", place, None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV)


def _become_nobody(*, by_root: bool) -> None:
    """Becomes a user who owns nothing, in a user namespace of his own, without capabilities and with none to be had."""
    if by_root:
        _set_nobody()
    user, group = os.getuid(), os.getgid()
    _do("enter a user namespace", _libc.unshare(_NEWUSER))
    _map_ids(NOBODY, user, group)
    try:  # one way less to get at the kernel; not all systems let a namespace have its own number
        with open("/proc/sys/user/max_user_namespaces", "w", encoding="ascii") as file:
            file.write("0")
    except OSError:
        pass
    for capability in range(_CAPABILITIES):
        _libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)
    _do("give up privileges", _libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))
    _do("hide from the program", _libc.prctl(_DUMPABLE, 0, 0, 0, 0))
    _die_with_parent()  # changing users takes the wish back


def _set_nobody() -> None:
    try:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    except PermissionError as error:
        raise OSError(f"become nobody: {error.strerror}") from error
    _do("open its own /proc", _libc.prctl(_DUMPABLE, 1, 0, 0, 0))  # changing users closes it


def _map_ids(inside: int, user: int, group: int) -> None:
    """Makes the process ``inside`` of its new user namespace what it is outside."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside} {user} 1"),
        ("gid_map", f"{inside} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def _limit(limits: dict[str, int]) -> None:
    """Sets the limits of this process and all its children, each of which has them for itself."""
    for name, most in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))


def _die_with_parent() -> None:
    _do("be ended with its parent", _libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0))


def _end_as(child: int) -> NoReturn:
    """Waits for a child, and for orphans left to this process, and ends with the child's exit status."""
    while True:
        ended, code = os.wait()
        if ended == child:
            os._exit(os.waitstatus_to_exitcode(code) % 256)


def _touch(path: str) -> None:
    with open(path, "w", encoding="ascii"):
        pass


def _mount(source: str, place: str, kind: str | None, flags: int, options: str = "") -> None:
    done = _libc.mount(source.encode(), place.encode(), kind and kind.encode(), flags, options.encode())
    _do(f"mount {source} at {place}", done)


def _do(what: str, returned: int) -> None:
    """Checks what a call of the C library returned."""
    if returned != 0:
        raise OSError(f"{what}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
