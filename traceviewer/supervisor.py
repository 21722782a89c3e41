"""`traceviewer up` and `down`: one parent, a web server and a worker.

The parent restarts what dies, passes on SIGTERM and Ctrl-C, and holds a lock on HOME/up.lock while it lives. The
children ask the kernel to be killed with their parent: no way of dying leaves an orphan, and jobs survive a SIGKILL.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import IO

from traceviewer.home import PROJECT, open_home

SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}
PR_SET_PDEATHSIG = 1
SIOCGIFADDR = 0x8915
LOOK_S = 0.5
READY_S = 60.0
PATIENCE_S = 3.0
FIRST_BACKOFF_S, LAST_BACKOFF_S, HEALTHY_S = 0.5, 30.0, 60.0
WORKER = "-m celery -A traceviewer.celery --quiet worker --loglevel WARNING --without-gossip --without-mingle".split()
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def up(host: str = "127.0.0.1", port: int = 8000) -> int:
    """Prepare everything, serve until told to stop. Exit status: 0 stopped, 1 could not start."""
    try:
        home = open_home()
        set_environment(home, host)
        with only_one(home) as lock, listening(host, port) as listener:
            return run(lock, listener, host)
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"{error.filename}: {error.strerror}. TRACEVIEWER_HOME names the folder for all data.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def down() -> int:
    """Stop what `up` started on this HOME, and wait until it has."""
    path = open_home() / "up.lock"
    with path.open("a+") as lock:
        if try_lock(lock):
            print("Nothing runs here.")
            return 0
        pid, address = read_lock(path)
        os.kill(pid, signal.SIGTERM)
        deadline_s = time.monotonic() + 2 * PATIENCE_S
        while not try_lock(lock):
            if time.monotonic() > deadline_s:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
    print(f"Stopped {address}")
    return 0


class CannotStart(Exception):
    """The reason, in one line."""


class AskedToStop(Exception):
    """By a signal."""


def set_environment(home: Path, host: str) -> None:
    """What the children have to know; what the operator has set stays."""
    os.environ["TRACEVIEWER_HOME"] = str(home)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceviewer.settings")
    names = ["127.0.0.1", "localhost", "[::1]"]
    if host in WILDCARDS:
        names += [socket.gethostname(), socket.getfqdn(), *own_addresses()]
    elif host not in names:
        names.append(f"[{host}]" if ":" in host else host)
    os.environ.setdefault("TRACEVIEWER_ALLOWED_HOSTS", " ".join(names))


def own_addresses() -> Iterator[str]:
    """IPv4 addresses of this machine's interfaces, so that a colleague can type one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, interface in socket.if_nameindex():
            with suppress(OSError):  # it has none
                answer = fcntl.ioctl(asking, SIOCGIFADDR, interface.encode().ljust(256, b"\0"))
                yield socket.inet_ntoa(answer[20:24])


# One at a time


@contextmanager
def only_one(home: Path) -> Iterator[IO[str]]:
    """Hold the lock; it says which process runs, and goes with the process however that ends."""
    path = home / "up.lock"
    with path.open("a+") as lock:
        if not try_lock(lock):
            pid, address = read_lock(path)
            raise CannotStart(f"It runs already: {address} (process {pid}). `traceviewer down` stops it.")
        yield lock


def try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def read_lock(path: Path) -> tuple[int, str]:
    """Process and address of who holds it; for a moment after it is taken nothing is written yet."""
    while not (text := path.read_text()):
        time.sleep(0.01)
    pid, _, address = text.partition(" ")
    return int(pid), address.strip()


def write_lock(lock: IO[str], address: str) -> None:
    lock.truncate(0)
    lock.write(f"{os.getpid()} {address}\n")
    lock.flush()


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """The socket that all web processes share, one after the other: while one restarts, browsers wait in line."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotStart(f"{host} is no address of this machine: {error.strerror}.") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(place)
        except OSError as error:
            why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
            raise CannotStart(f"Port {port} on {host} {why}; choose another.") from error
        listener.listen(512)
        yield listener


def address_of(listener: socket.socket, host: str) -> str:
    name = WILDCARDS.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{listener.getsockname()[1]}"


# The run


def run(lock: IO[str], listener: socket.socket, host: str) -> int:
    address = address_of(listener, host)
    write_lock(lock, address)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # from here on heard in `pause`: no migration is cut in two
    with ProcessPoolExecutor(1, get_context("fork")) as once:  # so that Django and the engine do not stay in here
        link = once.submit(open_database, address).result()
    web = Child("web server", ["-m", "traceviewer.web", str(listener.fileno())], (listener.fileno(),))
    children = [web]
    try:
        warm_kernels()
        children.append(Child("worker", WORKER))
        wait_for(web, address)
        print(f"Open {link}\n  (logs you in, once, within the hour; later: {address}/)", flush=True)
        if host in WILDCARDS:
            print(
                "Answers to the names in TRACEVIEWER_ALLOWED_HOSTS:",
                os.environ["TRACEVIEWER_ALLOWED_HOSTS"],
                flush=True,
            )
        while True:
            pause(LOOK_S)
            for child in children:
                child.tend()
    except AskedToStop:
        pass
    finally:
        stop(children)
    return 0


def open_database(address: str) -> str:
    """Bring the tables up to date, see to an administrator and a first project; a one-time login link.

    Runs in a process of its own.
    """
    import django

    django.setup()

    from django.core.management import call_command

    from traceviewer.accounts.first import ensure_admin, login_link
    from traceviewer.accounts.models import Project
    from traceviewer.runs.demo import load_demo

    call_command("migrate", verbosity=0, interactive=False)
    admin, password = ensure_admin()
    if password:
        print(f"Your name is {admin.get_username()}, your password {password} (shown this once).", flush=True)
    if not Project.objects.exists():
        load_demo(admin)
    return login_link(address, admin)


def warm_kernels() -> None:
    """Compile what is not compiled yet, in a process of its own: the parent stays small."""
    child = Child("compiler", ["-c", "from simulation.warm import warm; warm()"])
    try:
        while child.process.poll() is None:
            pause(LOOK_S)
    finally:
        child.process.kill()
        child.process.wait()
    if child.process.returncode:
        raise CannotStart("The kernels could not be compiled; see above.")


def wait_for(web: Child, address: str) -> None:
    deadline_s = time.monotonic() + READY_S
    while not answers(address):
        if web.process.poll() is not None or time.monotonic() > deadline_s:
            raise CannotStart("The web server does not come up; see above.")
        pause(0.05)


def pause(wait_s: float) -> None:
    """Wait, less long if a child ends. Raises AskedToStop on SIGTERM or Ctrl-C."""
    heard = signal.sigtimedwait(SIGNALS, wait_s)
    if heard is not None and heard.si_signo != signal.SIGCHLD:
        raise AskedToStop


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/login/", timeout=READY_S) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


class Child:
    """A process that is started again when it ends, after a pause that doubles while it keeps ending early."""

    def __init__(self, name: str, command: list[str], descriptors: tuple[int, ...] = ()) -> None:
        self.name, self.command, self.descriptors = name, command, descriptors
        self.backoff_s = FIRST_BACKOFF_S
        self.restart_at_s: float | None = None
        self.start()

    def start(self) -> None:
        self.started_s = time.monotonic()
        self.restart_at_s = None
        self.process = subprocess.Popen(
            [sys.executable, *self.command],
            cwd=PROJECT,
            pass_fds=self.descriptors,
            process_group=0,  # Ctrl-C in the terminal is for the parent alone
            preexec_fn=bound_to(os.getpid()),
        )

    def tend(self) -> None:
        now_s = time.monotonic()
        if self.restart_at_s is not None:
            if now_s >= self.restart_at_s:
                self.start()
        elif self.process.poll() is not None:
            self.backoff_s = FIRST_BACKOFF_S if now_s - self.started_s > HEALTHY_S else self.backoff_s * 2
            self.restart_at_s = now_s + min(self.backoff_s, LAST_BACKOFF_S)
            print(f"The {self.name} ended ({self.process.returncode}) and is started again.", file=sys.stderr)


def bound_to(parent: int) -> Callable[[], None]:
    """To be called in a child before it becomes another program: it dies with its parent, and hears signals."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we had asked
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    return bind


def stop(children: Sequence[Child]) -> None:
    """Ask, wait a little, insist: a job that is cut short is done again by the next worker."""
    for child in children:
        child.process.terminate()
    deadline_s = time.monotonic() + PATIENCE_S
    for child in children:
        try:
            child.process.wait(max(0.0, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
