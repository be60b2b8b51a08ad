import threading

import pytest

from pyproxy.cli.private_file import EVERYBODY_READS, edit, write_atomically


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_new_file_is_the_owners_alone(tmp_path):
    write_atomically(tmp_path / "keys", "text")

    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").read_text() == "text"


def test_public_file_is_readable(tmp_path):
    write_atomically(tmp_path / "ca.crt", "text", EVERYBODY_READS)

    assert (tmp_path / "ca.crt").stat().st_mode & 0o777 == 0o644


def test_missing_folders_are_made(tmp_path):
    write_atomically(tmp_path / "a" / "b" / "keys", "text")

    assert (tmp_path / "a" / "b" / "keys").read_text() == "text"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(0o600, 0o600, id="owner"),
        pytest.param(0o640, 0o640, id="group keeps reading"),
        pytest.param(0o664, 0o640, id="group never writes"),
        pytest.param(0o644, 0o640, id="others lose it"),
    ],
)
def test_replaced_file_keeps_its_group(tmp_path, before, after):
    path = tmp_path / "keys"
    path.write_text("old")
    path.chmod(before)

    write_atomically(path, "new")

    assert path.stat().st_mode & 0o777 == after


def test_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")

    write_atomically(tmp_path / "link", "new")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_failure_leaves_nothing_behind(tmp_path):
    path = tmp_path / "keys"
    path.write_text("old")

    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "half of a pair: \ud800")

    assert names(tmp_path) == ["keys"]
    assert path.read_text() == "old"


def test_edit_sees_the_old_text(tmp_path):
    path = tmp_path / "keys"
    path.write_text("old")

    edit(path, lambda text: text + "+new")

    assert path.read_text() == "old+new"


def test_missing_file_is_empty_to_edit(tmp_path):
    edit(tmp_path / "keys", lambda text: f"<{text}>")

    assert (tmp_path / "keys").read_text() == "<>"


def test_folder_is_not_made_to_edit(tmp_path):
    with pytest.raises(FileNotFoundError):
        edit(tmp_path / "folder" / "keys", lambda text: f"<{text}>")

    assert not (tmp_path / "folder").exists()


def test_failed_change_changes_nothing(tmp_path):
    path = tmp_path / "keys"
    path.write_text("old")

    with pytest.raises(KeyError):
        edit(path, lambda text: {}[text])

    assert path.read_text() == "old"


def test_editors_at_the_same_time_lose_nothing(tmp_path):
    path = tmp_path / "keys"
    threads = [
        threading.Thread(target=edit, args=(path, lambda text, n=n: f"{text}{n}\n"))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(int, path.read_text().split())) == list(range(20))
