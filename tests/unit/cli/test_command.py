import click
import pytest

from pyproxy.cli.command import Command, Example, Group, Option, Program

NEAR = Command("revoke", text="Take back.\n\n    Whatever it is.", program="version.installed")
OTHER = Option(["--url"], help="Ask here. Not there.")
OTHER.section = "Elsewhere"
FAR = Command(
    "list",
    text="List them.",
    program="version.installed",
    params=[Option(["--all"], is_flag=True, help="All. Or some."), OTHER],
    exits=(("0", "listed"),),
    examples=[Example("list --all", "everything")],
    notes={"Signals": (("SIGHUP", "again"),)},
)
GROUP = Group("keys", text="Keys.", sections={"One": [NEAR], "Two": [FAR]})


def help_of(command):
    return command.get_help(click.Context(command, info_name=str(command.name)))


def test_summary_is_the_first_line():
    assert NEAR.summary == "Take back."


def test_sections_are_in_order():
    headings = [line for line in help_of(FAR).splitlines() if line.endswith(":")]

    assert headings == ["Options:", "Elsewhere:", "Exit codes:", "Signals:", "Examples:"]
    assert help_of(FAR).endswith("  # everything\n  list --all")


def test_groups_list_their_commands_by_section():
    lines = help_of(GROUP).splitlines()

    assert lines.index("One:") < lines.index("Two:") < lines.index("Options:")
    assert "  revoke  Take back." in lines


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("revke", "did you mean revoke?", id="near miss"),
        pytest.param("xyzzy", "one of revoke, list", id="far off"),
    ],
)
def test_unknown_command_is_answered_with_what_there_is(name, hint):
    with pytest.raises(click.UsageError, match=hint.replace("?", r"\?")):
        GROUP.resolve_command(click.Context(GROUP), [name])


def test_completion_offers_first_sentences():
    items = FAR.shell_complete(click.Context(FAR), "--")

    assert {item.value: item.help for item in items}["--all"] == "All"


def test_a_program_is_loaded_when_it_is_called():
    assert Program("version.installed")(distribution="click")
