"""The bill of materials: CycloneDX 1.6 in JSON, of an environment that a lock made."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name
from pydantic import JsonValue

from release.pins import Pin
from release.workshop import ROOT, Clean, Failed, run

_SCHEMA = SchemaVersion.V1_6

Part = dict[str, JsonValue]


def text(installed: Clean, pins: Sequence[Pin], licences: Mapping[str, str], epoch: str) -> str:
    """The bill of an environment and its lock, the same bytes each time.

    It says that it was made at ``epoch``. What the lock holds for other Pythons is in it too, as
    optional.

    Raises:
        Failed: The environment is not what the lock makes here.
    """
    bill = json.loads(_generated(installed.python, epoch))
    here = _by_name(bill)
    ours = here.pop("pyproxy", {}).get("bom-ref")
    strange = here.keys() ^ {pin.name for pin in pins if pin.holds_here}
    if strange:
        raise Failed(f"in the lock or in its environment, not in both: {sorted(strange)}")
    bill["components"] = [
        {**here.get(pin.name, _absent(pin)), **_of_lock(pin, licences[pin.name])}
        for pin in sorted(pins, key=lambda pin: pin.name)
    ]
    bill["dependencies"] = [edge for edge in bill["dependencies"] if edge["ref"] != ours]
    return json.dumps(bill, indent=2, sort_keys=True) + "\n"


def faults(bill: str, pins: Sequence[Pin]) -> list[str]:
    """What is wrong with a bill, a sentence each."""
    broken = JsonStrictValidator(_SCHEMA).validate_str(bill)
    found = [f"not valid by its schema: {broken}"] if broken else []
    parts = _by_name(json.loads(bill))
    for pin in pins:
        part = parts.get(pin.name, {})
        if part.get("version") != pin.version or not part.get("licenses"):
            found.append(f"{pin.name} {pin.version} is not in it, with its licence")
        if not all(digest in json.dumps(part) for digest in pin.hashes):
            found.append(f"{pin.name}: a hash of the lock is missing")
    told = ("file:", str(ROOT), f"{Path.home()}/")
    return found + [f"it names {word}" for word in told if word in bill]


def _by_name(bill: Mapping[str, list[Part]]) -> dict[str, Part]:
    return {canonicalize_name(str(part["name"])): part for part in bill["components"]}


def _generated(python: Path, epoch: str) -> str:
    program = Path(sys.executable).with_name("cyclonedx-py")
    command = [
        *(str(program), "environment", str(python), "--sv", _SCHEMA.to_version()),
        *("--pyproject", str(ROOT / "pyproject.toml")),
        *("--output-reproducible", "--output-format", "JSON", "--output-file"),
    ]
    with TemporaryDirectory() as scratch:
        made = Path(scratch) / "bill.json"
        run([*command, str(made)], environ={"SOURCE_DATE_EPOCH": epoch})
        return made.read_text()


def _absent(pin: Pin) -> Part:
    return {
        "bom-ref": f"{pin.name}=={pin.version}",
        "name": pin.name,
        "version": pin.version,
        "purl": f"pkg:pypi/{pin.name}@{pin.version}",
        "type": "library",
        "scope": "optional",
        "properties": [{"name": "pyproxy:lock:marker", "value": pin.marker}],
    }


def _of_lock(pin: Pin, licence: str) -> Part:
    """Licence, and the hashes of the files that may be installed, as one of which each is."""
    files: Part = {
        "type": "distribution",
        "url": f"pkg:pypi/{pin.name}@{pin.version}",
        "comment": "the files of this release, by deploy/requirements",
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in pin.hashes],
    }
    return {
        "licenses": [{"expression": licence, "acknowledgement": "declared"}],
        "externalReferences": [files],
    }
