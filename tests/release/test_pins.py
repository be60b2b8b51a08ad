import pytest

from release.pins import NotALock, Pin, read

DIGEST = "a" * 64


def written(tmp_path, text):
    file = tmp_path / "some.txt"
    file.write_text(text)
    return file


def test_pin_has_name_version_marker_and_hashes(tmp_path):
    file = written(
        tmp_path,
        "# a comment\n"
        "Some_Thing==1.0rc1 ; python_version < '3' \\\n"
        f"    --hash=sha256:{DIGEST} \\\n"
        f"    --hash=sha256:{'b' * 64}\n"
        "    # via other\n",
    )

    assert read(file) == [
        Pin("some-thing", "1.0rc1", "python_version < '3'", [DIGEST, "b" * 64]),
    ]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("thing==1.0", id="no hash"),
        pytest.param(f"thing>=1.0 --hash=sha256:{DIGEST}", id="range"),
        pytest.param(f"thing==1.0 --hash=md5:{DIGEST}", id="weak hash"),
        pytest.param(f"thing==1.* --hash=sha256:{DIGEST}", id="any of many versions"),
        pytest.param("--index-url https://index.example/simple", id="index"),
        pytest.param(f"thing @ https://a.example/a.whl --hash=sha256:{DIGEST}", id="address"),
        pytest.param("-e .", id="folder"),
    ],
)
def test_line_that_locks_nothing_is_refused(tmp_path, line):
    with pytest.raises(NotALock, match=r"some\.txt"):
        read(written(tmp_path, line + "\n"))


@pytest.mark.parametrize(
    ("marker", "holds"),
    [("", True), ("python_version >= '3.11'", True), ("python_version < '3.11'", False)],
)
def test_marker_says_whether_it_is_needed_here(marker, holds):
    assert Pin("thing", "1", marker, [DIGEST]).holds_here is holds
