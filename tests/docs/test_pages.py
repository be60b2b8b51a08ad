"""What is read off a page."""

import pytest

from tests.docs.pages import hidden, read
from tests.docs.scene import unlike
from tests.docs.shell_lines import fault, pyproxy_calls

PAGE = """# A page

Write this to `pyproxy.toml`:

```toml
[server]
```

```sh {.needs-docker}
docker compose up
```

- in a list:

    ```sh {.needs-root title="as root"}
    apt-get install x
    ```

```text title="notes.txt"
a
```

```sh title="x" {.needs-root}
y
```
"""


def test_blocks_with_their_marks_titles_and_files():
    first, second, third, fourth, fifth = read("page.md", PAGE)

    assert (first.file, first.language, first.text, first.line) == (
        "pyproxy.toml",
        "toml",
        "[server]\n",
        5,
    )
    assert second.needs == "an engine that runs containers"
    assert (third.title, third.needs) == ("as root", "root on a machine of its own")
    assert third.text == "apt-get install x\n"
    assert fourth.file == "notes.txt"
    assert [block.is_readable for block in (first, second, third, fourth, fifth)] == [
        True,
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param(PAGE, [], id="sound"),
        pytest.param("\t```sh\nx\n\t```\n", [1, 3], id="tab"),
        pytest.param("> ```sh\n> x\n> ```\n", [1, 3], id="quotation"),
        pytest.param("- ```sh\n  x\n", [1], id="item"),
        pytest.param("1. ~~~ sh\n  x\n", [1], id="numbered item"),
        pytest.param("```text\nx\n````\n\n```sh\ny\n```\n", [3, 5], id="longer end"),
        pytest.param("```sh\nx\n", [1], id="no end"),
        pytest.param("````text\n```sh\n```\n````\n", [], id="a fence shown"),
    ],
)
def test_fences_that_are_not_read_are_found(text, lines):
    assert hidden(text) == lines


@pytest.mark.parametrize(
    ("script", "found"),
    [
        pytest.param("pyproxy check", [["check"]], id="plain"),
        pytest.param(".venv/bin/pyproxy serve -c x &", [["serve", "-c", "x"]], id="path"),
        pytest.param("A=1 sudo -E pyproxy top | head", [["top"]], id="behind others"),
        pytest.param('eval "$(pyproxy env -c a.toml)"', [["env", "-c", "a.toml"]], id="within"),
        pytest.param("KEY=$(pyproxy keys new alice)", [["keys", "new", "alice"]], id="assigned"),
        pytest.param("docker compose run gateway keys list", [["keys", "list"]], id="a service"),
        pytest.param("docker run pyproxy:0.1.0 check", [["check"]], id="an image"),
        pytest.param("kubectl get deploy pyproxy", [], id="a name"),
        pytest.param("pyproxy keys \\\n  new bob # pyproxy no", [["keys", "new", "bob"]], id="two"),
        pytest.param("pyproxy frobnicate", [["frobnicate"]], id="unknown"),
    ],
)
def test_calls_of_pyproxy_are_found(script, found):
    assert list(pyproxy_calls(script)) == found


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["check", "--strict"], "", id="good"),
        pytest.param(["-h"], "", id="help"),
        pytest.param(["serve", "-c", "not-there.toml"], "", id="file of the reader's"),
        pytest.param(["check", "--strikt"], "No such option", id="option"),
        pytest.param(["keys", "neu"], "there is no command", id="command"),
        pytest.param(["keys", "new"], "Missing argument", id="argument"),
    ],
)
def test_faults_of_a_command_line(arguments, says):
    assert says in fault(arguments)
    assert bool(says) == bool(fault(arguments))


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        pytest.param("one\nthree", "", id="in order"),
        pytest.param("three\none", "one", id="out of order"),
        pytest.param("o...e\n...\nth…", "", id="anything"),
        pytest.param("two  words", "two  words", id="none"),
    ],
)
def test_output_that_a_page_shows_is_compared(shown, missing):
    assert unlike(shown, "one\n two\nthree\n") == missing
