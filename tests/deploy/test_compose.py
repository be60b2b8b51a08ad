"""compose.yaml against its specification, and against what it promises."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
EXAMPLE = (ROOT / ".env.example").read_text()
VARIABLE = re.compile(r"\$\{([A-Z_]+)")
# The user's shell, the image's own paths, or another service's name: nothing to be told.
NOT_TOLD = {"ADMIN_TOKEN_FILE", "KEYS_FILE", "SIDECAR_ADDRESS"}
each_service = pytest.mark.parametrize("name", SERVICES)


def variables():
    """What a reader of compose.yaml may set: interpolated, or handed on by name alone."""
    handed_on = {
        name
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if value is None
    }
    return set(VARIABLE.findall(TEXT)) | handed_on


def test_it_is_a_compose_file():
    schema = ["--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *schema, str(ROOT / "compose.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


@each_service
def test_no_service_may_do_more_than_it_must(name):
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert not service.get("privileged", False)
    assert "cap_add" not in service
    assert service.get("network_mode") != "host"


@each_service
def test_every_service_is_bounded(name):
    service = SERVICES[name]

    assert (service["mem_limit"], service["pids_limit"]) == ("512m", 100)
    assert service["logging"] == {
        "driver": "json-file",
        "options": {"max-size": "50m", "max-file": "5"},
    }


@each_service
def test_every_service_that_stays_says_how_it_is(name):
    service = SERVICES[name]

    assert service["restart"] in {"unless-stopped", "no"}
    assert service["restart"] == "no" or "healthcheck" in service


def test_copilot_api_is_reached_by_the_gateway_alone():
    upstream = SERVICES["copilot-api"]
    near = {
        name: set(service.get("networks", ())) & set(upstream["networks"])
        for name, service in SERVICES.items()
        if name != "copilot-api"
    }

    assert "ports" not in upstream
    assert {name: shared for name, shared in near.items() if shared} == {"gateway": {"upstream"}}
    assert COMPOSE["networks"]["upstream"]["internal"] is True


def test_an_agent_reaches_the_sidecar_alone_and_the_sidecar_leaves_through_squid():
    members = {
        network: {name for name, each in SERVICES.items() if network in each.get("networks", ())}
        for network in COMPOSE["networks"]
    }

    assert members["agents"] == {"sidecar"}
    assert members["tunnel"] == {"sidecar", "squid"}
    assert members["outside-of-squid"] == {"squid"}
    assert set(SERVICES["sidecar"]["networks"]) == {"agents", "tunnel"}
    assert COMPOSE["networks"]["agents"]["internal"] is True
    assert COMPOSE["networks"]["tunnel"]["internal"] is True


def test_only_the_gateway_is_published_beyond_loopback():
    published = {
        name: port for name, service in SERVICES.items() for port in service.get("ports", ())
    }

    assert published.pop("gateway").endswith(":5000")
    assert set(published) == {"prometheus", "grafana"}
    assert all(port.startswith("127.0.0.1:") for port in published.values())


@each_service
def test_no_secret_is_written_down(name):
    values = SERVICES[name].get("environment", {})
    secret = {key for key in values if re.search(r"KEY|TOKEN|SECRET|PASSWORD", key)}

    # Handed on from the reader's own environment, or the name of a file.
    written = {key for key in secret if values[key] and str(values[key])[0] not in "/$"}
    assert written == set()


@each_service
def test_images_of_others_are_pinned_by_digest(name):
    service = SERVICES[name]

    assert "build" in service or re.search(r":[\w.-]+@sha256:[0-9a-f]{64}$", service["image"])


def test_what_is_mounted_from_the_repository_is_there():
    mounted = [
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", ())
        if volume.startswith("./")
    ]

    assert mounted
    assert [path for path in mounted if not (ROOT / path).exists()] == []
    assert (ROOT / "deploy/compose/none").read_bytes() == b""


def test_every_variable_is_told_and_every_one_told_is_read():
    told = set(re.findall(r"(?m)^#?([A-Z][A-Z_]+)=", EXAMPLE)) - {"COMPOSE_PROFILES"}

    assert told == variables() - NOT_TOLD


def test_the_example_of_an_environment_sets_nothing():
    assert [line for line in EXAMPLE.splitlines() if line and not line.startswith("#")] == []


def test_the_sidecar_and_squid_let_out_to_the_same_places():
    allowed = (ROOT / "deploy/squid/allowed.txt").read_text()
    names = {line.lstrip(".") for line in allowed.splitlines() if line and line[0] != "#"}
    sidecar = (ROOT / "deploy/sidecar.toml").read_text()

    assert names
    assert [name for name in names if name not in sidecar] == []
