from pathlib import Path
from sysconfig import get_path

import pytest

from release.licences import fits, of_locked
from release.locks import FOLDER
from release.pins import Pin, read
from release.workshop import Failed

HERE = Path(get_path("purelib"))


@pytest.mark.parametrize(
    ("expression", "is_fit"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("AGPL-3.0-or-later", False),
        ("LGPL-2.1-or-later", False),
        ("(MIT)", False),
        ("Proprietary", False),
        ("", False),
    ],
)
def test_licence_fits_if_one_choice_is_allowed_in_all_its_parts(expression, is_fit):
    assert fits(expression) is is_fit


@pytest.mark.parametrize("name", ["image", "journald"])
def test_all_that_is_locked_may_be_passed_on(name):
    locked = read(FOLDER / f"{name}.txt")

    assert of_locked(locked, HERE).keys() == {pin.name for pin in locked}


def test_package_whose_licence_nobody_knows_is_named(tmp_path):
    with pytest.raises(Failed, match="thing: says nothing"):
        of_locked([Pin("thing", "1", "", ["a"])], tmp_path)


def test_licence_in_other_words_is_named(tmp_path):
    folder = tmp_path / "thing-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: thing\nLicense: Ask us first\n")

    with pytest.raises(Failed, match="thing: Ask us first"):
        of_locked([Pin("thing", "1", "", ["a"])], tmp_path)
