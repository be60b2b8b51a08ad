"""docs/deploy/kubernetes.md: what it has people type and write does what it says."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.deploy.kubelet import Node, held
from tests.deploy.manifests import (
    BASE,
    COPILOT,
    KUBERNETES,
    REDIS,
    examples,
    kubectl,
    minor_version,
    of_kind,
    only,
    pods,
    render,
    rendered,
    secret_items,
)
from tests.process.served import environment

ROOT = KUBERNETES.parents[1]
PAGE = (ROOT / "docs/deploy/kubernetes.md").read_text("utf-8")
FENCE = re.compile(
    r'^```(\w+)[^\n]*?(?: title="([^"]+)")?[^\n]*\n(.*?)^```$', re.DOTALL | re.MULTILINE
)
SCRIPTS = [text for language, _, text in FENCE.findall(PAGE) if language == "sh"]
FILES = {title: text for language, title, text in FENCE.findall(PAGE) if language == "yaml"}
OURS = "ours"
# `apply` keeps what it is given; all else is the real one.
KUBECTL = """#!/bin/sh
case "$*" in
  "apply -f -") cat >> "$APPLIED"; echo --- >> "$APPLIED" ;;
  "apply -f "*) test -f "$3" ;;
  *) exec {kubectl} "$@" ;;
esac
"""
PYPROXY = '#!/bin/sh\nexec {python} -m pyproxy "$@"\n'


@pytest.fixture(scope="module")
def applied(tmp_path_factory):
    """The secrets that come of typing what the page says, by name."""
    tmp_path = tmp_path_factory.mktemp("typed")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("kubectl", KUBECTL), ("pyproxy", PYPROXY)):
        quoted = {"kubectl": shlex.quote(kubectl()), "python": shlex.quote(sys.executable)}
        (programs / name).write_text(text.format(**quoted))
        (programs / name).chmod(0o755)
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    (tmp_path / "certs" / "cluster").mkdir(parents=True)
    providers = of_kind(examples(BASE), "Secret")[1]["stringData"]
    lines = "".join(f"{item}=key-of-{item}\n" for item in providers)
    (tmp_path / "certs/cluster/providers.env").write_text(lines)
    (tmp_path / "certs/cluster/github_token").write_text("token-of-github")
    typed = [text for text in SCRIPTS if "create secret" in text and "dry-run" in text]
    for script in typed:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env={
                **environment(),
                "PATH": f"{programs}:{os.environ['PATH']}",
                "APPLIED": str(tmp_path / "applied.yaml"),
                "KUBECONFIG": str(tmp_path / "none"),
            },
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stderr}"
    assert len(typed) == 6
    documents = [
        each for each in yaml.safe_load_all((tmp_path / "applied.yaml").read_text()) if each
    ]
    assert {each["metadata"]["namespace"] for each in documents} == {"pyproxy"}
    return held(documents)


def test_secrets_that_the_page_makes_are_those_that_pods_mount(applied):
    made = {(name, item) for name, secret in applied.items() for item in secret}

    assert secret_items(rendered(REDIS)) | secret_items(rendered(COPILOT)) <= made
    assert set(applied) == {
        each["metadata"]["name"]
        for name in (BASE, REDIS, COPILOT)
        for each in of_kind(examples(name), "Secret")
    }


def test_secrets_that_the_page_makes_belong_together(applied):
    password = applied["pyproxy-redis"]["url"].decode().split(":")[2].split("@")[0]
    rules = applied["pyproxy-redis"]["users.acl"].decode()
    hidden = subprocess.run(
        ["sha256sum"], input=password, capture_output=True, text=True, check=True
    ).stdout.split()[0]

    assert f"user gateway on #{hidden} " in rules
    assert "PASSWORD" not in rules
    assert (
        len(applied["pyproxy-admin"]["token"]) == 64
    )  # and no line break, which is no field value
    names = [line.split(b":")[0] for line in applied["pyproxy-keys"]["api_keys"].splitlines()]
    assert names == [b"team-b"]  # once team-a's was taken back


def test_secrets_that_the_page_makes_are_taken(applied, tmp_path):
    documents = rendered(BASE)
    node = Node(tmp_path, pods(documents)["pyproxy"], documents, applied)

    done = node.exec("check")

    assert done.returncode == 0, done.stderr
    assert "pyproxy.pyproxy.svc" in done.stdout


def ours(tmp_path, change=lambda text: text):
    """The reader's overlay, rendered where it belongs."""
    copy = tmp_path / "deploy" / "kubernetes"
    shutil.copytree(KUBERNETES, copy)
    (tmp_path / OURS).mkdir()
    for title, text in FILES.items():
        if title.startswith(f"{OURS}/"):
            (tmp_path / title).write_text(change(text))
    shutil.copy(copy / BASE / "pyproxy.toml", tmp_path / OURS)
    return render(tmp_path / OURS)


def test_overlay_of_the_readers_own_renders(tmp_path):
    documents = ours(tmp_path)

    (gateway,) = pods(documents)["pyproxy"]["spec"]["containers"]
    assert gateway["image"] == "registry.example.com/pyproxy:0.1.0"
    assert len(documents) == len(rendered(BASE))


def test_overlay_of_the_readers_own_renders_with_all_that_it_offers(tmp_path):
    def everything(text):
        return re.sub(r"(?m)^#(\w|  )", r"\1", text).replace(
            "../deploy/kubernetes/base", "../deploy/kubernetes/overlays/redis"
        )

    documents = ours(tmp_path, everything)

    if minor_version() > 20:  # 1.20 only removes what Kubernetes itself knows; the page says so
        assert not of_kind(documents, "ServiceMonitor")
        assert len(documents) == len(rendered(REDIS)) - 1
    volumes = pods(documents)["pyproxy"]["spec"]["volumes"]
    (mounted,) = [each["configMap"]["name"] for each in volumes if "configMap" in each]
    assert only(documents, "ConfigMap", mounted)["data"].keys() == {"pyproxy.toml"}


def test_a_changed_configuration_is_a_rollout(tmp_path):
    shutil.copytree(KUBERNETES, tmp_path / "k")
    with (tmp_path / "k" / BASE / "pyproxy.toml").open("a") as config:
        config.write("# another\n")

    changed = pods(render(tmp_path / "k" / BASE))["pyproxy"]

    assert changed != pods(rendered(BASE))["pyproxy"]


def test_example_of_a_client_gets_in_by_name_and_label():
    client = yaml.safe_load(FILES["client.yaml"])["spec"]["template"]
    (peer,) = only(rendered(BASE), "NetworkPolicy")["spec"]["ingress"][0]["from"]
    assert peer["podSelector"]["matchLabels"] == client["metadata"]["labels"]
    assert "kubectl label namespace team-a pyproxy-client=true" in PAGE
    env = {each["name"]: each.get("value") for each in client["spec"]["containers"][0]["env"]}
    for certificate in of_kind(examples(BASE), "Certificate"):
        if certificate["metadata"]["name"] == "pyproxy":
            names = certificate["spec"]["dnsNames"]

    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"):
        assert re.match(r"https://([^/]+)/", env[name])[1] in names


def test_links_and_files_lead_somewhere():
    for path in re.findall(r"\]\((\.\./[^)#]+)", PAGE):
        assert (ROOT / "docs/deploy" / path).exists(), path
    for path in re.findall(r"(?<![\w./])deploy/kubernetes/[\w./-]+", " ".join(SCRIPTS)):
        assert (ROOT / path).exists(), path


def test_figures_of_the_page_are_those_of_the_manifests():
    for name, words in ((BASE, ("two", "six")), (REDIS, ("three", "twelve"))):
        scaler = only(rendered(name), "HorizontalPodAutoscaler")["spec"]
        numbers = dict(zip(("two", "three", "six", "twelve"), (2, 3, 6, 12), strict=True))
        assert (scaler["minReplicas"], scaler["maxReplicas"]) == tuple(numbers[w] for w in words)
        assert f"{words[0]} to {words[1]}" in PAGE
    pod = pods(rendered(BASE))["pyproxy"]["spec"]
    assert f"`terminationGracePeriodSeconds` ({pod['terminationGracePeriodSeconds']} s)" in PAGE
    before = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert f"serves on for {before} s (`preStop`)" in PAGE
