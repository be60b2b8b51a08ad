import json

import pytest
from pydantic import BaseModel, TypeAdapter

from pyproxy.config.interpolate import Expanded
from pyproxy.config.secret import Secret
from pyproxy.config.surroundings import NOWHERE, Surroundings

HIDDEN = "correct horse battery staple"
AROUND = Surroundings(
    environ={"KEY": HIDDEN, "EMPTY": ""},
    resolve=lambda path: f"/etc/{path}",
    read=lambda path: {"/etc/key": HIDDEN, "/etc/empty": ""}[path],
)


class Holder(BaseModel):
    secret: Secret


@pytest.mark.parametrize(
    ("value", "origin"),
    [
        pytest.param(HIDDEN, "literal", id="text"),
        pytest.param({"env": "KEY"}, "env KEY", id="environment"),
        pytest.param({"file": "key"}, "file /etc/key", id="file"),
        pytest.param(Expanded(HIDDEN, ("A", "B")), "env A, B", id="interpolated"),
        pytest.param(Secret(HIDDEN, "env X"), "env X", id="read before"),
    ],
)
def test_a_secret_knows_where_it_is_from(value, origin):
    secret = Secret.parse(value, AROUND)

    assert secret.reveal() == HIDDEN
    assert type(secret.reveal()) is str
    assert secret.origin == origin


@pytest.mark.parametrize(
    ("origin", "path"),
    [("literal", ""), ("env FILE", ""), ("file /etc/key", "/etc/key"), ("file file x", "file x")],
)
def test_a_secret_knows_the_file_it_was_read_from(origin, path):
    assert Secret(HIDDEN, origin).file == path


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        pytest.param("", "is empty", id="empty text"),
        pytest.param({"env": "NOPE"}, "variable NOPE is not set", id="unset"),
        pytest.param({"env": "EMPTY"}, "is empty", id="empty variable"),
        pytest.param({"file": "empty"}, "file /etc/empty is empty", id="empty file"),
        pytest.param({"file": ""}, "must be a string, {", id="no file's name"),
        pytest.param({"file": 1}, "must be a string, {", id="number for a name"),
        pytest.param({"fiel": "key"}, "must be a string, {", id="misspelt form"),
        pytest.param({"file": "key", "env": "KEY"}, "must be a string, {", id="both forms"),
        pytest.param({}, "must be a string, {", id="no form"),
        pytest.param(7, "must be a string, {", id="number"),
    ],
)
def test_what_is_no_secret_is_told_which_forms_there_are(value, problem):
    with pytest.raises(ValueError, match=problem):
        Secret.parse(value, AROUND)


def test_nowhere_reads_no_file():
    with pytest.raises(ValueError, match="no file is read here: key"):
        Secret.parse({"file": "key"}, NOWHERE)


def test_a_secret_is_never_shown():
    holder = Holder.model_validate({"secret": HIDDEN})

    shown = (
        repr(holder.secret),
        str(holder.secret),
        f"{holder.secret} {holder.secret!r:>40}",
        repr(holder),
        holder.model_dump_json(),
        json.dumps(holder.model_dump(mode="json")),
        repr(holder.model_dump()),
        repr([holder.secret]),
    )
    assert not any("horse" in text for text in shown)


def test_secrets_compare_by_their_text():
    assert Secret("a" * 20) == Secret("a" * 20, "env X")
    assert Secret("a" * 20) != Secret("b" * 20)
    assert Secret("schlüssel") == Secret("schlüssel")
    assert Secret("a" * 20) != "a" * 20
    assert len({Secret("a" * 20), Secret("a" * 20)}) == 1


def test_the_schema_names_all_three_forms():
    forms = TypeAdapter(Secret).json_schema()["anyOf"]

    assert [form.get("required") for form in forms] == [None, ["file"], ["env"]]
