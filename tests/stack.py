"""`make test-stack`: the tests marked `stack` on an external PostgreSQL, Redis and S3.

PostgreSQL and Redis come from Debian (installed here when we are root and they are missing), S3 is moto's server. Each
runs in a throw-away folder on a free port of the loopback address, and ends with this program.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.processes import REPOSITORY, free_port, wait_for

DEBIAN_PACKAGES = {"redis-server": "redis-server", "postgres": "postgresql"}
BUCKET = "genengine-stack"


def main(arguments: list[str]) -> int:
    """Run pytest with the stack's addresses in its environment; returns its exit code."""
    _install_what_is_missing()
    with tempfile.TemporaryDirectory(prefix="ge-stack-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o711)
        environment = os.environ | {
            "DATABASE_URL": stack.enter_context(postgresql(folder / "postgres")),
            "REDIS_URL": stack.enter_context(redis(folder / "redis")),
            **stack.enter_context(s3()),
        }
        command = [sys.executable, "-m", "pytest", "-q", "-m", "stack", *(arguments or ["tests"])]
        return subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode


def _install_what_is_missing() -> None:
    missing = [package for program, package in DEBIAN_PACKAGES.items() if _find(program) is None]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.exit(f"Install {' and '.join(missing)} first: make test-stack needs their servers.")
    print(f"Installing {' and '.join(missing)}")
    quiet = {"stdout": subprocess.DEVNULL, "check": True}
    subprocess.run(["apt-get", "update", "-qq"], **quiet)
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], **quiet)


def _find(program: str) -> str | None:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which(program, path=os.pathsep.join([os.environ["PATH"], *map(str, versions)]))


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Debian's PostgreSQL over TCP; yields the address of a superuser (tests make databases)."""
    port = free_port()
    folder.mkdir()
    as_user = _ordinary_user(folder)
    tool = {name: str(_find(name)) for name in ("initdb", "postgres", "psql")}
    data = folder / "data"
    initdb = [tool["initdb"], "-D", str(data), "-U", "stack", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, **as_user)
    serve = [
        tool["postgres"],
        "-D",
        str(data),
        "-p",
        str(port),
        "-k",
        str(folder),
        "-h",
        "127.0.0.1",
        "-c",
        "fsync=off",
    ]
    address = f"postgresql://stack@127.0.0.1:{port}/postgres"
    with _serving(serve, cwd=folder, **as_user):
        wait_for(lambda: _succeeds([tool["psql"], address, "-c", "SELECT 1"]), what="PostgreSQL")
        yield address


def _ordinary_user(folder: Path) -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("nobody")
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Debian's Redis, keeping nothing."""
    port = free_port()
    folder.mkdir()
    serve = [str(_find("redis-server")), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with _serving(serve, cwd=folder):
        wait_for(lambda: _listens(port), what="Redis")
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def s3() -> Iterator[dict[str, str]]:
    """Moto's S3 with an empty bucket, as the settings spell it."""
    import boto3

    port = free_port()
    address = f"http://127.0.0.1:{port}"
    serve = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with _serving(serve, cwd=REPOSITORY):
        wait_for(lambda: _listens(port), what="moto")
        keys = {"aws_access_key_id": "stack", "aws_secret_access_key": "stack"}
        boto3.client("s3", endpoint_url=address, region_name="us-east-1", **keys).create_bucket(Bucket=BUCKET)
        yield {
            "S3_BUCKET": BUCKET,
            "S3_ENDPOINT_URL": address,
            "S3_ACCESS_KEY_ID": "stack",
            "S3_SECRET_ACCESS_KEY": "stack",
        }


@contextmanager
def _serving(command: list[str], **options: object) -> Iterator[None]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    process = subprocess.Popen(command, **quiet, **options)  # type: ignore[call-overload]
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _listens(port: int) -> bool:
    import socket

    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
