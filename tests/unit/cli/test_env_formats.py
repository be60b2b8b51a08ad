import json
import re
import subprocess

import pytest
from hypothesis import example, given, strategies as st

from pyproxy.cli.client_proof import GATEWAY_KEY, SHARED_SECRET, Variable
from pyproxy.cli.client_variables import Group
from pyproxy.cli.env_formats import WRITERS, dotenv, json_object, k8s, remarks_of, sh

KEY = Variable("OPENAI_API_KEY", GATEWAY_KEY.text, GATEWAY_KEY)
FIELD = Variable("OPENAI_CUSTOM_HEADERS", f"X-Proxy-Token: {SHARED_SECRET.text}", SHARED_SECRET)
NASTY = [
    "",
    "a b",
    "it's",
    '"',
    "$(id)",
    "`id`",
    "${HOME}",
    "a\nb",
    "\\",
    "#",
    "~",
    "*",
    "é日",
    "%",
]
# Two lines of YAML each: nothing but texts in double quotes, and words.
ENTRY = re.compile(
    r"- name: (?P<name>[A-Z_][A-Z0-9_]*)\n"
    r'(?:  value: (?P<value>".*")'
    r"|  valueFrom:\n    secretKeyRef:\n      name: pyproxy\n      key: (?P<key>[a-z-]+))\n"
)


def group(*variables, unset=(), remarks=(), route="main"):
    return Group(route, variables, unset, remarks)


def exported(lines, name="A"):
    """What a shell that evaluates the lines passes on."""
    script = 'eval "$1"; printenv "$2"'
    done = subprocess.run(
        ["sh", "-euc", script, "sh", "\n".join(lines), name],
        env={"PATH": "/usr/bin:/bin", "GONE": "1"},
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def entries(lines):
    """What a container's environment would be made of."""
    head, *rest = lines
    assert head == "env:"
    text = "".join(f"{line}\n" for line in rest)
    found = list(ENTRY.finditer(text))
    assert "".join(each[0] for each in found) == text
    return {each["name"]: each["key"] or json.loads(each["value"]) for each in found}


@pytest.mark.parametrize("value", NASTY)
def test_shell_exports_any_value_as_it_is(value):
    assert exported(sh([group(Variable("A", value))])) == (0, f"{value}\n")


def test_shell_forgets_what_must_not_be_set():
    code, _ = exported(sh([group(unset=("GONE",))]), "GONE")

    assert code == 1


@pytest.mark.parametrize("form", ["sh", "dotenv"])
def test_comments_stay_comments(form):
    nasty = "a\nexport B=1\r\x1b[31m\u2028B=1"
    lines = list(WRITERS[form]([group(remarks=(nasty,), route=nasty)]))

    assert all(line.startswith("#") and line.isprintable() for line in lines)
    assert len(lines) == 2


def test_lines_say_whom_they_are_for():
    lines = list(sh([group(KEY, remarks=("why",))]))

    assert lines == ["# main", "#   why", "export OPENAI_API_KEY=YOUR_GATEWAY_KEY"]


@pytest.mark.parametrize("value", [value for value in NASTY if "\n" not in value])
def test_docker_gets_a_value_without_quotes(value):
    assert list(dotenv([group(Variable("A", value))])) == ["# main", f"A={value}"]


def test_docker_is_told_of_a_value_that_it_cannot_have():
    _, line = dotenv([group(Variable("A", "a\nB=b"))])

    assert line.startswith("# A has a line break")


def test_object_has_every_name():
    (text,) = json_object([group(KEY), group(FIELD, Variable("A", 'a"b'))])

    assert json.loads(text) == {
        "OPENAI_API_KEY": "YOUR_GATEWAY_KEY",
        "OPENAI_CUSTOM_HEADERS": "X-Proxy-Token: YOUR_PROXY_SECRET",
        "A": 'a"b',
    }


def test_key_is_in_a_secret_of_the_cluster():
    assert entries(k8s([group(KEY)])) == {"OPENAI_API_KEY": "key"}


def test_part_of_a_value_is_in_a_secret_too_and_is_there_before_it():
    other = Variable("ANTHROPIC_CUSTOM_HEADERS", FIELD.value, SHARED_SECRET)
    lines = list(k8s([group(FIELD), group(other)]))

    found = entries(lines)
    assert list(found) == ["PYPROXY_PROXY_SECRET", FIELD.name, other.name]
    assert found["PYPROXY_PROXY_SECRET"] == "proxy-secret"
    assert found[FIELD.name] == found[other.name] == "X-Proxy-Token: $(PYPROXY_PROXY_SECRET)"


@given(st.text())
@example("$(A)")
@example('"\\\u2028\x85')
def test_value_is_one_line_of_yaml_and_refers_to_nothing(value):
    lines = list(k8s([group(Variable("A", value))]))

    assert all(line.isascii() and line.isprintable() for line in lines)
    assert entries(lines)["A"].replace("$$(", "$(") == value.replace("$$(", "$(")
    assert re.search(r"(?<!\$)\$\(", entries(lines)["A"]) is None


def test_remarks_are_said_once():
    several = [group(remarks=("a", "b")), group(remarks=("b",)), group(remarks=("b",), route="x")]

    assert list(remarks_of(several)) == ["main: a", "main: b", "x: b"]
