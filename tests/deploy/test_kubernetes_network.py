"""deploy/kubernetes: who may talk to whom, by its network policies."""

import pytest

from tests.deploy.manifests import BASE, COPILOT, REDIS, pods, rendered
from tests.deploy.network import Peer, passes

ALL = pytest.mark.parametrize("name", [BASE, REDIS, COPILOT])
GATEWAY = {"app.kubernetes.io/name": "pyproxy", "app.kubernetes.io/component": "gateway"}
STORE = {"app.kubernetes.io/name": "pyproxy", "app.kubernetes.io/component": "redis"}
OURS = {"kubernetes.io/metadata.name": "pyproxy"}
CLIENT = {"pyproxy-client": "true"}
TEAM = {"kubernetes.io/metadata.name": "team", **CLIENT}
SYSTEM = {"kubernetes.io/metadata.name": "kube-system"}
MONITORING = {"kubernetes.io/metadata.name": "monitoring"}
PROMETHEUS = {"app.kubernetes.io/name": "prometheus"}
WAYS = [
    pytest.param(Peer(CLIENT, TEAM), "pyproxy", 5000, True, id="client that both labels name"),
    pytest.param(Peer(CLIENT, OURS), "pyproxy", 5000, False, id="pod of another namespace"),
    pytest.param(Peer({}, TEAM), "pyproxy", 5000, False, id="another pod of the namespace"),
    pytest.param(Peer(address="203.0.113.7"), "pyproxy", 5000, False, id="no pod at all"),
    pytest.param(Peer(CLIENT, TEAM), "pyproxy", 9100, False, id="client to admin"),
    pytest.param(Peer(PROMETHEUS, MONITORING), "pyproxy", 9100, True, id="Prometheus to admin"),
    pytest.param(Peer(PROMETHEUS, MONITORING), "pyproxy", 5000, False, id="Prometheus to clients'"),
    pytest.param(Peer(PROMETHEUS, TEAM), "pyproxy", 9100, False, id="somebody's own Prometheus"),
    pytest.param(Peer({}, MONITORING), "pyproxy", 9100, False, id="another pod beside Prometheus"),
    pytest.param("pyproxy", Peer(address="93.184.215.14"), 443, True, id="provider"),
    pytest.param("pyproxy", Peer(address="2606:4700::6810:1"), 443, True, id="provider by IPv6"),
    pytest.param("pyproxy", Peer(address="93.184.215.14"), 80, False, id="plain HTTP"),
    pytest.param("pyproxy", Peer(address="169.254.169.254"), 443, False, id="cloud's metadata"),
    pytest.param("pyproxy", Peer(address="169.254.169.254"), 80, False, id="the same by HTTP"),
    pytest.param("pyproxy", Peer(address="fd00:ec2::254"), 443, False, id="the same by IPv6"),
    pytest.param("pyproxy", Peer(address="10.96.0.1"), 443, False, id="API server"),
    pytest.param("pyproxy", Peer({"any": "pod"}, TEAM), 443, False, id="somebody's pod"),
    pytest.param("pyproxy", Peer({"k8s-app": "kube-dns"}, SYSTEM), 53, True, id="DNS"),
    pytest.param("pyproxy", Peer(address="169.254.20.10"), 53, True, id="DNS on the node"),
    pytest.param("pyproxy", Peer({"k8s-app": "kube-dns"}, TEAM), 53, False, id="somebody's DNS"),
    pytest.param("pyproxy", Peer({"any": "pod"}, SYSTEM), 443, False, id="pod of the system"),
]


def peer(one, documents):
    if isinstance(one, Peer):
        return one
    pod = pods(documents)[one]
    return Peer(pod["metadata"]["labels"], OURS, pod=pod)


@ALL
@pytest.mark.parametrize(("source", "target", "port", "may"), WAYS)
def test_network_policies_let_through_what_is_meant(name, source, target, port, may):
    documents = rendered(name)

    assert passes(documents, peer(source, documents), peer(target, documents), port) is may


@pytest.mark.parametrize(
    ("source", "target", "port", "may"),
    [
        pytest.param("pyproxy", "pyproxy-redis", 6379, True, id="gateway to Redis"),
        pytest.param(Peer(CLIENT, TEAM), "pyproxy-redis", 6379, False, id="client to Redis"),
        pytest.param(Peer(CLIENT, OURS), "pyproxy-redis", 6379, False, id="neighbour to Redis"),
        pytest.param(Peer(GATEWAY, TEAM), "pyproxy-redis", 6379, False, id="one that looks so"),
        pytest.param("pyproxy-redis", Peer(address="93.184.215.14"), 443, False, id="Redis out"),
        pytest.param("pyproxy-redis", "pyproxy", 5000, False, id="Redis to gateway"),
        pytest.param(
            "pyproxy-redis", Peer({"k8s-app": "kube-dns"}, SYSTEM), 53, False, id="Redis to DNS"
        ),
        pytest.param("pyproxy", Peer(STORE, TEAM), 6379, False, id="gateway to somebody's Redis"),
    ],
)
def test_redis_talks_with_gateways_alone(source, target, port, may):
    documents = rendered(REDIS)

    assert passes(documents, peer(source, documents), peer(target, documents), port) is may


@pytest.mark.parametrize(
    ("source", "target", "port", "may"),
    [
        pytest.param("pyproxy", "copilot-api", 4141, True, id="gateway to copilot-api"),
        pytest.param(Peer(CLIENT, TEAM), "copilot-api", 4141, False, id="client past the gateway"),
        pytest.param(Peer({}, OURS), "copilot-api", 4141, False, id="neighbour"),
        pytest.param("copilot-api", Peer(address="140.82.121.6"), 443, True, id="GitHub"),
        pytest.param("copilot-api", Peer(address="169.254.169.254"), 80, False, id="metadata"),
        pytest.param("copilot-api", "pyproxy", 9100, False, id="copilot-api to admin"),
    ],
)
def test_copilot_api_talks_with_gateways_and_github_alone(source, target, port, may):
    documents = rendered(COPILOT)

    assert passes(documents, peer(source, documents), peer(target, documents), port) is may


def test_dns_goes_by_udp_too():
    documents = rendered(BASE)
    dns = Peer({"k8s-app": "kube-dns"}, SYSTEM)

    assert passes(documents, peer("pyproxy", documents), dns, 53, "UDP")


@ALL
def test_a_pod_that_nobody_thought_of_is_shut_in(name):
    stray = Peer({"app": "stray"}, OURS, pod={"spec": {"containers": []}})

    assert not passes(rendered(name), Peer(CLIENT, TEAM), stray, 80)
    assert not passes(rendered(name), stray, Peer(address="93.184.215.14"), 443)
