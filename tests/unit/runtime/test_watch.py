"""Every way a file is replaced is seen, once."""

import asyncio
import os

import pytest

from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.watch import FileWatcher, stamps_of


class Counter:
    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self) -> None:
        self.calls += 1


class Reports(list[tuple[str, str]]):
    def __call__(self, name: str, error: BaseException) -> None:
        self.append((name, repr(error)))


@pytest.fixture
def reports():
    return Reports()


@pytest.fixture
def watcher(reports):
    return FileWatcher(reports, Blocking())


def age(path):
    """Make a file's next write differ in time, however coarse the file system's clock."""
    os.utime(path, ns=(0, 0))


def rewrite(path):
    path.write_text("longer than before")


def touch(path):
    os.utime(path, ns=(1, 1))


def rename_over(path):
    fresh = path.with_name("fresh")
    fresh.write_text(path.read_text())
    os.utime(fresh, ns=(0, 0))
    fresh.replace(path)


def remove(path):
    path.unlink()


def close_to_others(path):
    path.chmod(0o600)


@pytest.mark.parametrize("change", [rewrite, touch, rename_over, remove, close_to_others])
async def test_a_changed_file_is_told_once(watcher, reports, tmp_path, change):
    path = tmp_path / "keys"
    path.write_text("old")
    path.chmod(0o644)
    age(path)
    changed = Counter()
    watcher.watch("keys", [path], changed)
    await watcher.poll_now()
    change(path)

    await watcher.poll_now()
    await watcher.poll_now()

    assert changed.calls == 1
    assert reports == []


async def test_a_file_is_read_once_its_writer_is_done(reports, tmp_path):
    path, seen = tmp_path / "keys", []
    path.write_text("alice\nbob\n")
    watcher = FileWatcher(reports, Blocking(), settle_s=0.05)

    async def changed():
        seen.append(path.read_text())

    watcher.watch("keys", [path], changed, since=stamps_of([path]))
    with path.open("w") as file:
        file.write("alice\n")
        file.flush()
        look = asyncio.ensure_future(watcher.poll_now())
        await asyncio.sleep(0.02)
        file.write("carol\n")
    await look

    assert seen == ["alice\ncarol\n"]


async def test_a_file_that_is_written_and_put_back_is_not_told(reports, tmp_path):
    path = tmp_path / "keys"
    path.write_text("old")
    kept = tmp_path / "kept"
    watcher = FileWatcher(reports, Blocking(), settle_s=0.05)
    changed = Counter()
    watcher.watch("keys", [path], changed, since=stamps_of([path]))
    path.rename(kept)
    look = asyncio.ensure_future(watcher.poll_now())
    await asyncio.sleep(0.02)
    kept.rename(path)
    await look

    assert changed.calls == 0


async def test_a_file_that_never_stays_the_same_is_read_all_the_same(reports, tmp_path):
    path = tmp_path / "log"
    path.write_text("")
    watcher = FileWatcher(reports, Blocking(), settle_s=0.01)
    changed, is_over = Counter(), asyncio.Event()
    watcher.watch("log", [path], changed, since=stamps_of([path]))

    async def write():
        while not is_over.is_set():
            path.write_text(path.read_text() + "x")
            await asyncio.sleep(0.002)

    writing = asyncio.ensure_future(write())
    await asyncio.sleep(0.01)
    await watcher.poll_now()
    is_over.set()
    await writing

    assert changed.calls == 1


async def test_nothing_is_told_while_nothing_changes(watcher, tmp_path):
    path = tmp_path / "keys"
    path.write_text("old")
    changed = Counter()
    watcher.watch("keys", [path, tmp_path / "missing"], changed)

    await watcher.poll_now()
    await watcher.poll_now()

    assert changed.calls == 0


async def test_a_kubernetes_secret_is_swapped_by_its_folder_link(watcher, tmp_path):
    for name in ("v1", "v2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tls.crt").write_text("same size")
        age(tmp_path / name / "tls.crt")
    (tmp_path / "..data").symlink_to("v1")
    path = tmp_path / "tls.crt"
    path.symlink_to("..data/tls.crt")
    changed = Counter()
    watcher.watch("certificates", [path], changed)
    await watcher.poll_now()

    (tmp_path / "..data_tmp").symlink_to("v2")
    (tmp_path / "..data_tmp").replace(tmp_path / "..data")
    await watcher.poll_now()

    assert changed.calls == 1


async def test_a_missing_file_may_appear(watcher, tmp_path):
    path = tmp_path / "late" / "keys"
    changed = Counter()
    watcher.watch("keys", [path], changed)
    await watcher.poll_now()

    path.parent.mkdir()
    path.write_text("here")
    await watcher.poll_now()

    assert changed.calls == 1


async def test_a_loop_of_links_counts_as_missing(tmp_path):
    path = tmp_path / "loop"
    path.symlink_to("loop")

    assert stamps_of([path]) == {path: None}


async def test_a_change_between_reading_and_watching_is_told(watcher, tmp_path):
    path = tmp_path / "keys"
    path.write_text("old")
    since = stamps_of([path])
    path.write_text("newer")
    changed = Counter()

    watcher.watch("keys", [path], changed, since=since)
    await watcher.poll_now()

    assert changed.calls == 1


async def test_two_files_changed_at_once_are_told_once(watcher, tmp_path):
    paths = [tmp_path / "crt", tmp_path / "key"]
    changed = Counter()
    watcher.watch("certificates", paths, changed)
    await watcher.poll_now()
    for path in paths:
        path.write_text("new")

    await watcher.poll_now()

    assert changed.calls == 1


async def test_a_failing_callback_is_reported_and_the_others_are_called(watcher, reports, tmp_path):
    path = tmp_path / "keys"

    async def fail():
        raise ValueError("half-written")

    changed = Counter()
    watcher.watch("keys", [path], fail)
    watcher.watch("others", [path], changed)
    await watcher.poll_now()
    path.write_text("new")
    await watcher.poll_now()

    assert reports == [("keys", "ValueError('half-written')")]
    assert changed.calls == 1


async def test_a_callback_that_failed_is_called_again_at_the_next_change(
    watcher, reports, tmp_path
):
    path = tmp_path / "keys"
    read = []

    async def parse():
        text = path.read_text()
        if not text.endswith("\n"):
            raise ValueError("half-written")
        read.append(text)

    watcher.watch("keys", [path], parse, since=stamps_of([path]))
    path.write_text("a:1\nb")
    await watcher.poll_now()
    await watcher.poll_now()
    path.write_text("a:1\nb:2\n")
    await watcher.poll_now()

    assert read == ["a:1\nb:2\n"]
    assert reports == [("keys", "ValueError('half-written')")]


async def test_a_callback_that_raises_at_once_is_reported(watcher, reports, tmp_path):
    path = tmp_path / "keys"

    def fail():
        raise ValueError("not even a coroutine")

    watcher.watch("keys", [path], fail, since={path: None})
    path.write_text("new")
    await watcher.poll_now()

    assert reports == [("keys", "ValueError('not even a coroutine')")]


async def test_what_hangs_holds_up_no_other(reports, tmp_path):
    hung, keys = tmp_path / "hung", tmp_path / "keys"
    told = asyncio.Queue()

    async def hang():
        told.put_nowait("hung")
        await asyncio.Event().wait()

    async def changed():
        told.put_nowait("keys")

    watcher = FileWatcher(reports, Blocking(), interval_s=0.0)
    watcher.watch("hung", [hung], hang, since={hung: None})
    watcher.watch("keys", [keys], changed, since={keys: None})
    running = asyncio.ensure_future(watcher.run())
    for path, name in ((hung, "hung"), (keys, "keys"), (hung, ""), (keys, "keys")):
        path.write_text(f"{path.exists()} {name}")
        if name:
            async with asyncio.timeout(5.0):
                assert await told.get() == name
    running.cancel()

    assert reports == []


async def test_what_took_too_long_is_told_and_tried_again(reports, tmp_path):
    path = tmp_path / "keys"
    outcomes = [TimeoutError("keys: no end"), None]

    async def read():
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome

    watcher = FileWatcher(reports, Blocking(), again_s=0.0)
    watcher.watch("keys", [path], read, since={path: None})
    path.write_text("new")
    await watcher.poll_now()
    await watcher.poll_now()
    await watcher.poll_now()

    assert outcomes == []
    assert reports == [("keys", "TimeoutError('keys: no end')")]


async def test_a_look_that_was_cut_short_is_taken_up_again(watcher, tmp_path):
    path = tmp_path / "keys"
    begun, changed = asyncio.Event(), Counter()

    async def change():
        await changed()
        begun.set()
        await asyncio.Event().wait()

    watcher.watch("keys", [path], change, since={path: None})
    path.write_text("new")
    for calls in (1, 2):
        running = asyncio.ensure_future(watcher.run())
        await begun.wait()
        begun.clear()
        running.cancel()
        await asyncio.wait([running])

        assert changed.calls == calls


async def test_the_watcher_keeps_looking_until_cancelled(reports, tmp_path):
    path = tmp_path / "keys"
    told = asyncio.Event()

    async def changed():
        told.set()

    watcher = FileWatcher(reports, Blocking(), interval_s=0.0)
    watcher.watch("keys", [path], changed, since={path: None})
    running = asyncio.ensure_future(watcher.run())
    path.write_text("new")
    await told.wait()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
