"""Every audit line that a test sees is one that docs/audit.schema.json allows."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from pyproxy.telemetry.audit import MAX_LINE

SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "audit.schema.json").read_text())
_VALIDATOR = Draft202012Validator(SCHEMA)


def judge(texts):
    """Fail if one of the lines is an audit line, and not as it should be.

    Args:
        texts: Lines of all logs; only those of the audit log have no level.
    """
    for text in texts:
        line = json.loads(text)
        if "level" not in line:
            _VALIDATOR.validate(line)
            assert len(text) <= MAX_LINE
