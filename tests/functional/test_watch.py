"""A listener takes a renewed certificate by itself, however it is put in place."""

import asyncio
import ssl
import tempfile
from pathlib import Path

import pytest
import trustme

from pyproxy.errors.fault import ConfigurationError
from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.sockets import listen
from pyproxy.runtime.tasks import Tasks
from pyproxy.runtime.tls import CertificateFiles, ServerTls, TlsRules
from pyproxy.runtime.watch import FileWatcher, stamps_of

AUTHORITY = trustme.CA()


class Reports(list[BaseException]):
    def __call__(self, _name: str, error: BaseException) -> None:
        self.append(error)


@pytest.fixture
def reports():
    return Reports()


def put(folder, name):
    """Write a fresh certificate for ``name`` and its key."""
    folder.mkdir(exist_ok=True)
    issued = AUTHORITY.issue_cert(name)
    (folder / "tls.key").touch(mode=0o600)
    (folder / "tls.key").write_bytes(issued.private_key_pem.bytes())
    (folder / "tls.crt").write_bytes(issued.cert_chain_pems[0].bytes())


def pair(folder):
    return CertificateFiles(folder / "tls.crt", folder / "tls.key")


def watched(tls, since, reports):
    watcher = FileWatcher(reports, Blocking())

    async def renew():
        await asyncio.to_thread(tls.reload)

    watcher.watch("certificates", tls.watched, renew, since=since)
    return watcher


async def shown(tls):
    """The name in the certificate that a handshake gets."""
    listening = listen("127.0.0.1:0")
    server = await asyncio.start_server(
        lambda _, writer: writer.transport.abort(), sock=listening.sockets[0], ssl=tls.context
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    AUTHORITY.configure_trust(context)
    _, writer = await asyncio.open_connection(
        "127.0.0.1", listening.port, ssl=context, server_hostname=""
    )
    [(_, name)] = writer.get_extra_info("peercert")["subjectAltName"]
    writer.transport.abort()
    server.close()
    listening.close()
    return name


def load(folder):
    since = stamps_of([folder / "tls.crt", folder / "tls.key"])
    return ServerTls.load([pair(folder)], TlsRules()), since


async def test_a_certificate_written_over_the_old_one_is_taken(tmp_path, reports):
    put(tmp_path, "old.example")
    tls, since = load(tmp_path)
    watcher = watched(tls, since, reports)

    put(tmp_path, "new.example")
    await watcher.poll_now()

    assert await shown(tls) == "new.example"
    assert reports == []


async def test_a_swapped_kubernetes_secret_is_taken(tmp_path, reports):
    put(tmp_path / "v1", "old.example")
    (tmp_path / "..data").symlink_to("v1")
    for name in ("tls.crt", "tls.key"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    tls, since = load(tmp_path)
    watcher = watched(tls, since, reports)

    put(tmp_path / "v2", "new.example")
    (tmp_path / "..data_tmp").symlink_to("v2")
    (tmp_path / "..data_tmp").replace(tmp_path / "..data")
    await watcher.poll_now()

    assert await shown(tls) == "new.example"
    assert reports == []


async def test_a_certificate_before_its_key_waits_for_it(tmp_path, reports):
    put(tmp_path, "old.example")
    tls, since = load(tmp_path)
    watcher = watched(tls, since, reports)
    put(tmp_path / "next", "new.example")

    (tmp_path / "next" / "tls.crt").replace(tmp_path / "tls.crt")
    await watcher.poll_now()
    between = await shown(tls)
    (tmp_path / "next" / "tls.key").replace(tmp_path / "tls.key")
    await watcher.poll_now()

    assert between == "old.example"
    assert await shown(tls) == "new.example"
    [error] = reports
    assert isinstance(error, ConfigurationError)


@pytest.fixture
def open_folder():
    """A folder that every user of the machine may enter; pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


async def test_a_key_made_private_again_is_taken_without_being_written(open_folder, reports):
    put(open_folder, "old.example")
    tls, since = load(open_folder)
    watcher = watched(tls, since, reports)

    put(open_folder, "new.example")
    (open_folder / "tls.key").chmod(0o644)
    await watcher.poll_now()
    between = await shown(tls)
    (open_folder / "tls.key").chmod(0o600)
    await watcher.poll_now()

    assert between == "old.example"
    assert await shown(tls) == "new.example"


async def test_the_watcher_runs_as_a_background_task(tmp_path, reports):
    put(tmp_path, "old.example")
    tls, since = load(tmp_path)
    renewed = asyncio.Event()

    async def renew():
        await asyncio.to_thread(tls.reload)
        renewed.set()

    watcher = FileWatcher(reports, Blocking(), interval_s=0.0)
    watcher.watch("certificates", tls.watched, renew, since=since)
    async with Tasks(reports) as tasks:
        tasks.start(watcher.run(), "file watcher")
        await asyncio.to_thread(put, tmp_path, "new.example")
        await renewed.wait()

    assert reports == [] or all(isinstance(error, ConfigurationError) for error in reports)
