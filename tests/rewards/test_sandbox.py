"""What programs in the sandbox try, and what comes of it."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from suffice.rewards.sandbox import Limits, inside, isolated, run_program
from suffice.rewards.sandbox.isolated import SandboxError, run_unsafe

# Programs that end by themselves may take long on a busy machine; those that never end are given a moment.
LOOP = Limits(seconds=1.5)
SHORT = Limits(seconds=30, memory_mb=256, processes=8, file_mb=4, output_kb=64)
pytestmark = pytest.mark.usefixtures("isolated")


def run(code, limits=None):
    return run_program({"main.py": code}, ["main.py"], limits or SHORT)


def test_a_program_runs_and_its_status_and_output_are_told():
    outcome = run("import sys; print('out'); print('err', file=sys.stderr, flush=True); sys.exit(3)")
    assert (outcome.ending, outcome.status) == ("exit", 3)
    assert sorted(outcome.output.split()) == ["err", "out"]


def test_an_infinite_loop_is_ended_at_the_limit():
    outcome = run("while True: pass", LOOP)
    assert outcome.ending == "time"
    assert outcome.seconds < 20


def test_a_sleeper_and_one_who_ignores_signals_are_ended():
    code = "import signal, time\nfor s in (1, 2, 15): signal.signal(s, signal.SIG_IGN)\ntime.sleep(99)"
    assert run(code, LOOP).ending == "time"


def test_building_a_sandbox_does_not_count_as_the_programs_time(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(isolated.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(isolated, "_descendants", lambda pid: [])
    reading, writing = os.pipe()
    watched = isolated._Watched(SimpleNamespace(pid=0), Limits(seconds=1), reading, started=now[0])
    now[0] = 50.0
    assert watched._over() is None
    os.write(writing, inside.STARTED)
    assert watched._read_words(reading)
    os.close(writing)
    now[0] = 50.9
    assert watched._over() is None
    assert not watched._read_words(reading)
    now[0] = 51.1
    assert watched._over() == "time"
    os.close(reading)
    never = isolated._Watched(SimpleNamespace(pid=0), Limits(seconds=1), reading, started=now[0])
    now[0] += 61
    assert never._over() == "time"


def test_a_fork_bomb_is_held_to_the_limit_and_leaves_nothing():
    outcome = run(
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", Limits(seconds=2, processes=8)
    )
    assert outcome.ending == "time"
    assert not [p for p in psutil.process_iter() if _main(p.pid)]


def _main(pid):
    try:
        return "main.py" in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False


def test_no_more_processes_than_the_limit():
    code = """
import os, time
made = 0
try:
    for _ in range(50):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        made += 1
except OSError as error:
    print(type(error).__name__, made, flush=True)
os._exit(0)
"""
    name, made = run(code).output.split()
    assert (name, int(made) < SHORT.processes) == ("BlockingIOError", True)


def test_a_daemon_does_not_outlive_its_program():
    code = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(60)\n    os._exit(0)\nprint('gone')"
    assert run(code).ending == "exit"
    assert not [p for p in psutil.process_iter() if _main(p.pid)]


def test_ten_gigabytes_are_not_to_be_had():
    outcome = run("x = bytearray(10 * 1024**3)")
    assert outcome.ending == "exit"
    assert "MemoryError" in outcome.output


def test_processes_together_stay_within_the_memory_limit():
    code = "import os, time\nfor _ in range(5): os.fork()\nx = bytearray(b'x') * (100 << 20)\ntime.sleep(60)"
    assert run(code, Limits(seconds=30, memory_mb=256, processes=40)).ending == "memory"


def test_a_flood_of_output_is_stopped_and_cut():
    outcome = run("while True: print('x' * 1000)", Limits(seconds=30, output_kb=64))
    assert outcome.ending == "output"
    assert len(outcome.output) == 64 * 1024


def test_files_are_small_and_the_disk_is_too():
    outcome = run("open('big', 'wb').write(b'x' * (64 << 20))")
    assert outcome.status != 0
    many = "for i in range(99):\n    open(f'f{i}', 'wb').write(b'x' * (1 << 20))"
    assert "No space left on device" in run(many).output


def test_deleting_everything_deletes_nothing_of_the_machine(tmp_path):
    kept = tmp_path / "kept.txt"
    kept.write_text("here")
    code = f"""
import os, shutil
for path in ("/work", "/etc", "/tmp", {str(tmp_path)!r}, {sys.base_prefix + "/bin"!r}):
    shutil.rmtree(path, ignore_errors=True)
for path in ("/usr/bin/env", "/bin/sh", {os.path.realpath(sys.executable)!r}):
    try: os.unlink(path)
    except OSError: pass
print(os.path.exists({str(kept)!r}), os.listdir("/work"))
"""
    assert run(code).output == "False []\n"
    assert kept.read_text() == "here"
    assert Path("/usr/bin/env").exists()
    assert Path(sys.executable).resolve().exists()


def test_nothing_outside_its_folder_can_be_written():
    code = f"""
for path in ("/usr/x", "/etc/x", "/x", "/proc/sys/kernel/core_pattern", {sys.base_prefix + "/x"!r}):
    try:
        open(path, "w").write("x")
        print("wrote", path)
    except OSError:
        pass
open("/work/x", "w").write("x")
print("done")
"""
    wrote = [line for line in run(code).output.splitlines() if line.startswith("wrote")]
    assert [line for line in wrote if line != "wrote /x"] == []  # its own root, in memory, may be its own
    assert not Path("/x").exists()


def test_there_is_no_network():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"""
import socket
for address in (("127.0.0.1", {port}), ("1.1.1.1", 53)):
    try:
        socket.create_connection(address, timeout=0.5)
        print("connected")
    except OSError as error:
        print("no")
"""
        assert run(code).output == "no\nno\n"


def test_abstract_sockets_of_the_machine_are_out_of_reach():
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0suffice-test")
        server.listen()
        code = "import socket\ns = socket.socket(socket.AF_UNIX)\ntry: s.connect('\\0suffice-test'); print('in')\nexcept OSError: print('no')"
        assert run(code).output == "no\n"


def test_secrets_of_the_parent_cannot_be_read(monkeypatch, tmp_path):
    monkeypatch.setenv("SUFFICE_TEST_SECRET", "hunter2")
    (tmp_path / "secret").write_text("hunter2")
    code = f"""
import os, glob
found = [str(dict(os.environ))]
for path in [*glob.glob("/proc/[0-9]*/environ"), *glob.glob("/proc/[0-9]*/mem"), {str(tmp_path / "secret")!r}, "/etc/shadow", "/etc/passwd"]:
    try:
        found.append(open(path, "rb").read(4000).decode("utf-8", "replace"))
    except OSError:
        pass
print("hunter2" in str(found), any(name in os.environ for name in ("SUFFICE_TEST_SECRET",)))
print(sorted(int(name) for name in os.listdir("/proc") if name.isdigit())[-1] < 20)
print(sorted(os.listdir("/proc/self/fd"))[:3], len(os.listdir("/proc/self/fd")))
"""
    first, second, third = run(code).output.splitlines()
    assert first == "False False"
    assert second == "True"  # it sees no process of the machine
    assert third == "['0', '1', '2'] 4"  # the fourth is the folder that is being listed


def test_the_keeper_and_the_machine_cannot_be_signalled():
    code = f"""
import os, signal
print(os.getuid(), os.getgid(), os.getgroups() == [65534] or os.getgroups() == [])
for pid in (1, {os.getpid()}):
    try:
        os.kill(pid, signal.SIGKILL)
        print("sent", pid == 1)
    except OSError:
        print("no")
print("alive")
"""
    lines = run(code).output.splitlines()
    assert lines[0] == "65534 65534 True"
    assert lines[-1] == "alive"  # the first process takes no signal from those in its namespace
    assert lines[2] == "no"


def test_no_privileges_are_to_be_had():
    code = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print(libc.unshare(0x10000000), libc.mount(b"none", b"/work", b"tmpfs", 0, None), libc.chroot(b"/work"))
status = open("/proc/self/status").read()
print([line.split()[1].strip("0") for line in status.splitlines() if line.startswith("Cap")], "NoNewPrivs:\\t1" in status)
"""
    assert run(code).output == "-1 -1 -1\n['', '', '', '', ''] True\n"


def test_names_with_folders_are_refused():
    with pytest.raises(ValueError, match="no plain file name"):
        run_program({"../x": "1"}, ["-c", "1"], SHORT)


def test_a_system_that_cannot_isolate_says_why(monkeypatch):
    monkeypatch.setattr(isolated, "_readable", lambda: ["/no/such/folder"])
    with pytest.raises(SandboxError, match="it cannot mount /no/such/folder"):
        run("print(1)")


def test_the_launcher_dies_with_its_parent():
    code = "import time; time.sleep(77)"
    starter = f"""
from suffice.rewards.sandbox import Limits, run_program
run_program({{"orphan.py": {code!r}}}, ["orphan.py"], Limits(seconds=60))
"""
    parent = subprocess.Popen([sys.executable, "-c", starter])
    until = time.monotonic() + 20
    while not (found := _called("orphan.py")) and time.monotonic() < until:
        parent.poll()
    parent.kill()
    parent.wait()
    gone, left = psutil.wait_procs(found, timeout=10)
    assert (len(gone) > 0, left) == (True, [])


def _called(name):
    found = []
    for process in psutil.process_iter():
        try:
            if process.cmdline()[-1:] == [name]:
                found.append(process)
        except psutil.Error:
            pass
    return found


def test_the_launcher_needs_only_the_standard_library():
    done = subprocess.run(
        [sys.executable, "-I", "-S", inside.__file__], input=b"", capture_output=True, check=False, timeout=20
    )
    assert b"JSONDecodeError" in done.stderr


def test_without_isolation_the_limits_still_hold(monkeypatch):
    monkeypatch.setenv("SUFFICE_TEST_SECRET", "hunter2")
    assert run_unsafe({"main.py": "while True: pass"}, ["main.py"], Limits(seconds=0.5)).ending == "time"
    assert "MemoryError" in run_unsafe({}, ["-c", "bytearray(10 * 1024**3)"], SHORT).output
    assert (
        run_unsafe({}, ["-c", "import os; print('SUFFICE_TEST_SECRET' in os.environ)"], SHORT).output
        == "False\n"
    )
