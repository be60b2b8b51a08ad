"""The manifests of deploy/kubernetes, as kubectl renders them."""

import json
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import yaml

from tests.programs import demand

KUBERNETES = Path(__file__).parents[2] / "deploy" / "kubernetes"
BASE, REDIS, COPILOT = "base", "overlays/redis", "overlays/copilot-api"
POD_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "Job")


def kubectl():
    """The program."""
    program = shutil.which("kubectl")
    demand("" if program else "kubectl is not installed (Debian's package: kubernetes-client)")
    return program


def minor_version():
    """Of kubectl: the 20 in 1.20."""
    command = [kubectl(), "version", "--client", "--output=json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    return int(json.loads(done.stdout)["clientVersion"]["minor"].rstrip("+"))


def render(folder):
    """What `kubectl apply -k` would send, in order."""
    done = subprocess.run(
        [kubectl(), "kustomize", str(folder)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@cache
def rendered(name):
    """A folder of deploy/kubernetes; not to be changed."""
    return render(KUBERNETES / name)


@cache
def examples(name):
    """The documents of a folder that are not applied with it."""
    files = sorted((KUBERNETES / name).glob("*.example.yaml"))
    return [each for file in files for each in yaml.safe_load_all(file.read_text("utf-8"))]


def of_kind(documents, *kinds):
    return [each for each in documents if each["kind"] in kinds]


def only(documents, kind, name="pyproxy"):
    """The one of a kind that is called so."""
    (found,) = [each for each in of_kind(documents, kind) if each["metadata"]["name"] == name]
    return found


def pods(documents):
    """The pods that will be, by what makes them: labels and spec."""
    return {
        each["metadata"]["name"]: each["spec"]["template"]
        for each in of_kind(documents, *POD_KINDS)
    }


def containers(pod):
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def selects(selector, labels):
    """Whether a selector of `matchLabels` takes these labels; an empty one takes all."""
    assert set(selector) <= {"matchLabels"}, "not understood here"
    return selector.get("matchLabels", {}).items() <= labels.items()


def only_config(documents):
    """The ConfigMap that holds the configuration."""
    (found,) = [c for c in of_kind(documents, "ConfigMap") if "pyproxy.toml" in c["data"]]
    return found


def configuration(documents):
    """What the gateway will read, before it looks at any file."""
    return tomllib.loads(only_config(documents)["data"]["pyproxy.toml"])


def secret_items(documents):
    """Every item of a secret that a pod or Prometheus asks for by name."""
    sources = [
        each
        for pod in pods(documents).values()
        for volume in pod["spec"]["volumes"]
        for each in _secrets(volume)
    ]
    items = {(name, item["key"]) for name, items in sources for item in items}
    for monitor in of_kind(documents, "ServiceMonitor"):
        for endpoint in monitor["spec"]["endpoints"]:
            shown = endpoint["authorization"]["credentials"]
            items.add((shown["name"], shown["key"]))
    return items


def _secrets(volume):
    if "secret" in volume:
        yield volume["secret"]["secretName"], volume["secret"]["items"]
    for source in volume.get("projected", {}).get("sources", ()):
        yield source["secret"]["name"], source["secret"].get("items", ())
