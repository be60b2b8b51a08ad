"""A pod of deploy/kubernetes from start to end: real volumes, probes, rotation, drain."""

import copy
import http.client
import json
import signal
import socket
import ssl
import threading

import pytest
import trustme

from tests.deploy.kubelet import Node, held
from tests.deploy.manifests import (
    BASE,
    COPILOT,
    KUBERNETES,
    REDIS,
    configuration,
    examples,
    of_kind,
    only,
    only_config,
    pods,
    rendered,
)
from tests.process.crowd import wait_until
from tests.process.served import BEARER, KEY, PATIENCE_S, Upstream, hashed
from tests.redis_server import demand_redis, redis_server

ADMIN = "admin-token-of-prometheus-51f0c9a7"
PROVIDERS = "pyproxy-providers"
NAME = "pyproxy.pyproxy.svc"


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def trust(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


@pytest.fixture
def upstream():
    with Upstream() as server:
        yield server


@pytest.fixture
def secrets(authority):
    """The examples, filled in."""
    found = held(of_kind(examples(BASE), "Secret"))
    found["pyproxy-keys"]["api_keys"] = hashed("team", KEY).encode()
    found["pyproxy-admin"]["token"] = ADMIN.encode()
    found[PROVIDERS] = {
        item: f"provider-key-of-before-{item}".encode() for item in found[PROVIDERS]
    }
    certify(found["pyproxy-tls"], authority)
    return found


def certify(secret, authority):
    """As cert-manager does."""
    issued = authority.issue_cert("localhost", NAME)
    secret["tls.crt"] = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
    secret["tls.key"] = issued.private_key_pem.bytes()


def led(documents, url):
    """The documents, with every provider's upstream at one that is here, and nothing else."""
    documents = copy.deepcopy(documents)
    config = only_config(documents)["data"]
    for provider in ("openai", "anthropic", "elevenlabs"):
        line = f'provider = "{provider}"\n'
        assert config["pyproxy.toml"].count(line) == 1
        config["pyproxy.toml"] = config["pyproxy.toml"].replace(line, f'{line}upstream = "{url}"\n')
    allowed = 'allow = ["'
    assert config["pyproxy.toml"].count(allowed) == 1
    config["pyproxy.toml"] = config["pyproxy.toml"].replace(allowed, f'{allowed}127.0.0.1", "')
    return documents


@pytest.fixture
def node(tmp_path, secrets, upstream):
    documents = led(rendered(BASE), upstream.url)
    return Node(tmp_path, pods(documents)["pyproxy"], documents, secrets)


def probed(gateway, probe):
    """The status that a probe of the manifest's is answered, asked as the kubelet asks."""
    asked = probe["httpGet"]
    assert asked["scheme"] == "HTTPS"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(
        "127.0.0.1",  # the pod's address, whatever the certificate says
        gateway.port,
        timeout=probe["timeoutSeconds"],
        context=context,
    )
    try:
        connection.request("GET", asked["path"], headers={"User-Agent": "kube-probe/1.34"})
        return connection.getresponse().status
    finally:
        connection.close()


def scraped(gateway, token):
    """What Prometheus is answered, as the ServiceMonitor has it ask."""
    (endpoint,) = only(rendered(BASE), "ServiceMonitor")["spec"]["endpoints"]
    port = int(str(gateway.wait_for("admin.ready")["port"]))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        fields = {"Host": "10.1.2.3:9100", "Authorization": f"Bearer {token}"} if token else {}
        connection.request("GET", endpoint["path"], headers=fields)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def sent(gateway, path="/openai/models", key=KEY):
    """Status, and what the upstream was shown."""
    status, _, body = gateway.ask(path, headers={"Authorization": f"Bearer {key}"})
    return status, json.loads(body).get("authorization") if status == 200 else None


def test_a_pod_lives_and_its_secrets_rotate(node, trust, authority):
    (container,) = pods(rendered(BASE))["pyproxy"]["spec"]["containers"]
    fresh = "pyp_key-of-after-0123456789abcdef"

    with node.running(trust) as gateway:
        gateway.secrets += [fresh, "provider-key-of-after"]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert probed(gateway, container[probe]) == 200
        assert scraped(gateway, "")[0] == 401
        status, metrics = scraped(gateway, ADMIN)
        assert status == 200
        assert b"pyproxy_workers 1" in metrics
        assert sent(gateway) == (200, "Bearer provider-key-of-before-openai_api_key")
        assert sent(gateway, key=fresh)[0] == 401

        shown = certificate_of(gateway)
        node.secrets[PROVIDERS]["openai_api_key"] = b"provider-key-of-after\n"
        node.secrets["pyproxy-keys"]["api_keys"] = hashed("team", fresh).encode()
        certify(node.secrets["pyproxy-tls"], authority)
        node.sync()

        # Asked before, the new key would be a wrong one, and twenty of those are a ban.
        # With a provider's key changed too, the whole configuration is read, and the keys with it.
        gateway.wait_for("config.reloaded", result="ok")
        wait_until(lambda: sent(gateway, key=fresh) == (200, "Bearer provider-key-of-after"))
        assert sent(gateway)[0] == 401
        wait_until(lambda: certificate_of(gateway) != shown)
        assert gateway.process.poll() is None
        assert not gateway.said("config.reloaded", result="failed")


def certificate_of(gateway):
    connection = gateway.connect()
    try:
        return connection.sock.getpeercert(binary_form=True)
    finally:
        connection.close()


def test_a_pod_that_is_to_go_ends_what_it_began(node, trust, upstream):
    (container,) = pods(rendered(BASE))["pyproxy"]["spec"]["containers"]
    got = []

    with node.running(trust) as gateway:
        connection = gateway.connect()

        def stream():
            connection.request("GET", "/elevenlabs/stream", headers=BEARER)
            got.append(connection.getresponse().read())

        asking = threading.Thread(target=stream)
        asking.start()
        assert upstream.begun.wait(PATIENCE_S)
        assert probed(gateway, container["readinessProbe"]) == 200  # all through preStop
        gateway.process.send_signal(signal.SIGTERM)
        gateway.wait_for("worker.draining")

        wait_until(lambda: is_refused(gateway.port))
        assert gateway.process.poll() is None
        upstream.released.set()
        asking.join(PATIENCE_S)

        assert got == [b"onetwo"]
        assert gateway.ended() == 0
        connection.close()


def is_refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), PATIENCE_S).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("name", [BASE, COPILOT])
def test_configuration_passes_check_but_for_the_admin_port(name, tmp_path, secrets):
    if name == COPILOT:
        del secrets[PROVIDERS]  # of no use there
    documents = rendered(name)
    node = Node(tmp_path, pods(documents)["pyproxy"], documents, secrets)
    # Every address, as it is in the cluster; nothing listens.
    served = node.at("/etc/pyproxy/pyproxy.toml").read_text("utf-8")
    config = tmp_path / "as-in-the-cluster.toml"
    config.write_text(served.replace("127.0.0.1:0", "0.0.0.0:0"))

    done = node.exec("check", "--config", str(config))

    assert done.returncode == 0, done.stderr
    (warning,) = done.stderr.splitlines()
    assert "server.admin: is plain HTTP on a public address" in warning


def test_pods_are_told_how_to_call_it(node):
    done = node.exec("env", "--format", "k8s", "--url", f"https://{NAME}")

    assert done.returncode == 0, done.stderr
    assert f'value: "https://{NAME}/openai/v1"' in done.stdout
    assert f'value: "https://{NAME}/anthropic"' in done.stdout


def test_examples_that_were_not_filled_in_serve_nobody(tmp_path):
    documents = rendered(BASE)
    node = Node(
        tmp_path, pods(documents)["pyproxy"], documents, held(of_kind(examples(BASE), "Secret"))
    )

    done = node.exec("serve")

    assert done.returncode == 2, done.stdout
    for name in ("admin_token", "openai_api_key", "anthropic_api_key", "elevenlabs_api_key"):
        assert f"/run/secrets/pyproxy/{name} is empty" in done.stderr


def test_redis_of_the_overlay_lets_gateways_do_all_they_need(tmp_path, secrets, upstream):
    demand_redis()
    password = "redis-password-77b0e3f2ac91"
    rules = (KUBERNETES / REDIS / "users.acl.example").read_text("utf-8")
    hidden = hashed("", password).removeprefix(":sha256:").strip()
    secrets.update(held(of_kind(examples(REDIS), "Secret")))
    (config,) = [c for c in of_kind(rendered(REDIS), "ConfigMap") if "redis.conf" in c["data"]]
    acl = tmp_path / "users.acl"
    acl.write_text(rules.replace("PASSWORD_SHA256", hidden))
    with redis_server(
        tmp_path / "redis", *redis_options(config["data"]["redis.conf"], acl)
    ) as redis:
        assert redis.ask("GET", "x").startswith("-NOAUTH")
        url = f"redis://gateway:{password}@127.0.0.1:{redis.port}/0"
        secrets["pyproxy-redis"]["url"] = url.encode()
        documents = led(rendered(REDIS), upstream.url)
        node = Node(tmp_path / "pod", pods(documents)["pyproxy"], documents, secrets)

        done = node.exec("check", "--connect")

        assert (done.returncode, password in done.stdout + done.stderr) == (0, False), done.stderr
        assert "url          redis://***@" in done.stdout
        assert "store: fine" in done.stdout


def redis_options(conf, acl):
    """The overlay's redis.conf as options, with its file of users here and a port that is free."""
    options = [line.split(maxsplit=1) for line in conf.splitlines() if line and line[0] != "#"]
    named = dict(options)
    assert named.pop("port") == "6379"
    assert named.pop("bind") == "* -::*"
    assert named.pop("aclfile") == "/run/secrets/redis/users.acl"
    named["aclfile"] = str(acl)
    return [part for name, value in named.items() for part in (f"--{name}", value.strip('"'))]


def test_redis_away_is_for_the_pod_alone_to_know():
    assert configuration(rendered(REDIS))["store"] == {"on_failure": "local"}
