"""The logs of a worker."""

import json
import logging

import pytest

from pyproxy.config.server import LogSettings
from pyproxy.errors.fault import ConfigurationError
from pyproxy.runtime.journal import Journal

WALL = 1_750_000_000.0


@pytest.fixture
def settings(tmp_path):
    """A log whose security events go to a file; the root logger is given back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield LogSettings(audit=str(tmp_path / "audit.log"))
    root.handlers[:] = handlers
    root.setLevel(level)


def test_security_events_are_in_their_file_at_the_end(settings, tmp_path):
    journal = Journal(settings, lambda: WALL)
    journal.audit.put("auth.ok", WALL, user="alice")
    journal.close(WALL)

    [line] = (tmp_path / "audit.log").read_text().splitlines()
    assert json.loads(line)["user"] == "alice"
    assert (tmp_path / "audit.log").stat().st_mode & 0o777 == 0o600


def test_a_failure_is_written_with_its_name(settings, capfd):
    journal = Journal(settings.model_copy(update={"access": False}), lambda: WALL)
    journal.report("a task", ValueError("wrong"))
    journal.close(WALL)

    assert journal.access is None
    assert '"message":"a task"' in capfd.readouterr().out


def test_lines_that_were_dropped_are_owned_up_to(settings):
    journal = Journal(settings, lambda: WALL)
    journal.close(WALL)

    assert '"lost":3' in journal._lost(3)


def test_an_audit_file_that_cannot_be_opened_is_a_fault(settings, tmp_path):
    broken = settings.model_copy(update={"audit": str(tmp_path / "missing" / "audit.log")})

    with pytest.raises(ConfigurationError, match=r"server\.log\.audit: .* no such file"):
        Journal(broken, lambda: WALL)


def test_other_settings_are_followed_by_all_who_hold_the_logs(settings, tmp_path, capfd):
    journal = Journal(settings, lambda: WALL)
    log, audit = journal.log, journal.audit
    other = LogSettings(
        level="error", format="console", access=False, audit=str(tmp_path / "other.log")
    )

    journal.prepare(other)
    audit.put("auth.ok", WALL, user="before")
    journal.commit()
    audit.put("auth.ok", WALL, user="after")
    log.info("too.little")
    log.error("much")
    journal.close(WALL)

    assert journal.access is None
    assert "after" in (tmp_path / "other.log").read_text()
    assert "after" not in (tmp_path / "audit.log").read_text()
    assert capfd.readouterr().out.split()[1:] == ["error", "much"]


def test_settings_that_are_given_up_change_nothing(settings, tmp_path):
    journal = Journal(settings, lambda: WALL)
    journal.prepare(settings.model_copy(update={"audit": str(tmp_path / "other.log")}))
    journal.forget()
    journal.commit()
    with pytest.raises(ConfigurationError):
        journal.prepare(settings.model_copy(update={"audit": str(tmp_path / "no" / "log")}))
    journal.audit.put("auth.ok", WALL, user="alice")
    journal.close(WALL)

    assert "alice" in (tmp_path / "audit.log").read_text()
    assert (tmp_path / "other.log").read_text() == ""


def test_lines_lost_are_added_up_over_all_logs_and_their_successors(settings, tmp_path):
    journal = Journal(settings, lambda: WALL)
    journal._sink._drop(1)
    journal._audit_sink._drop(2)
    journal.prepare(settings.model_copy(update={"audit": str(tmp_path / "other.log")}))
    journal.commit()
    journal._audit_sink._drop(4)
    journal.close(WALL)

    assert (journal.lost_total, journal.audit_lost_total) == (7, 6)


def test_in_place_of_another_worker_one_serves_though_the_audit_log_cannot_be_opened(
    settings, tmp_path, capfd
):
    missing = settings.model_copy(update={"audit": str(tmp_path / "missing" / "audit.log")})
    journal = Journal(missing, lambda: WALL, must_open=False)
    journal.audit.put("auth.ok", WALL, user="alice")
    journal.close(WALL)
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]

    assert [line["event"] for line in lines] == ["log.unwritable", "audit.lost"]
    assert lines[0]["reason"] == "No such file or directory"
    assert lines[1]["lost"] == 1
    assert journal.lost_total == 1


def test_lines_that_the_audit_log_dropped_are_told_there_as_an_audit_line(settings, tmp_path):
    journal = Journal(settings.model_copy(update={"format": "console"}), lambda: WALL)
    journal._audit_sink._drop(3)
    journal.audit.put("auth.ok", WALL)
    journal.reopen()
    journal.close(WALL)
    lines = [json.loads(line) for line in (tmp_path / "audit.log").read_text().splitlines()]

    assert [line["event"] for line in lines] == ["auth.ok", "log.lost"]
    assert lines[1]["details"] == {"lost": 3}
