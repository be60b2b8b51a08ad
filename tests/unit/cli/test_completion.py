import pytest

from pyproxy.cli.completion import answer


@pytest.mark.parametrize(
    ("shell", "mark"),
    [("bash", "complete -o"), ("zsh", "compdef"), ("fish", "split --max 1")],
)
def test_each_shell_has_its_script(pyproxy, shell, mark):
    code, out, err = pyproxy("completion", shell)

    assert (code, err) == (0, [])
    assert mark in "\n".join(out)


def test_other_shells_are_refused(pyproxy):
    assert pyproxy("completion", "tcsh")[0] == 2


def test_nobody_asks_without_the_variable(monkeypatch):
    monkeypatch.delenv("_PYPROXY_COMPLETE", raising=False)

    assert answer() is None


@pytest.mark.parametrize("place", [None, "", "one", "9" * 5000])
def test_rubbish_of_a_shell_is_no_traceback(monkeypatch, capsys, place):
    monkeypatch.setenv("_PYPROXY_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "pyproxy 'che")
    monkeypatch.delenv("COMP_CWORD", raising=False)
    if place is not None:
        monkeypatch.setenv("COMP_CWORD", place)

    assert answer() == 1
    assert capsys.readouterr().out == ""


def test_the_scripts_are_answered(monkeypatch, capsys):
    monkeypatch.setenv("_PYPROXY_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "pyproxy che")
    monkeypatch.setenv("COMP_CWORD", "1")

    assert answer() == 0
    assert capsys.readouterr().out == "plain,check\n"
