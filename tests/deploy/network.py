"""What network policies let through: as Kubernetes' documents say a plug-in should judge."""

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from tests.deploy.manifests import containers, of_kind, selects


@dataclass(frozen=True)
class Peer:
    """One end of a connection.

    Attributes:
        labels: Of the pod; empty for what is none.
        namespace: Labels of its namespace.
        address: Where it is no pod.
        pod: Its manifest, for the names of its ports.
    """

    labels: dict = field(default_factory=dict)
    namespace: dict = field(default_factory=dict)
    address: str = ""
    pod: dict | None = None


def passes(documents, source, target, port, protocol="TCP"):
    """Whether both sides' policies let a connection through, of pods in our namespace."""
    policies = of_kind(documents, "NetworkPolicy")
    return _side(policies, "Egress", source, target, target, port, protocol) and _side(
        policies, "Ingress", target, source, target, port, protocol
    )


def _side(policies, direction, own, other, target, port, protocol):
    if own.pod is None:
        return True  # not ours to say
    binding = [
        each["spec"]
        for each in policies
        if selects(each["spec"]["podSelector"], own.labels)
        and direction in each["spec"]["policyTypes"]
    ]
    word, peers = direction.lower(), {"Ingress": "from", "Egress": "to"}[direction]
    rules = [rule for spec in binding for rule in spec.get(word, ())]
    return not binding or any(
        _any_peer(rule.get(peers), own, other)
        and _any_port(rule.get("ports"), target, port, protocol)
        for rule in rules
    )


def _any_peer(rules, own, other):
    return not rules or any(_is_peer(rule, own, other) for rule in rules)


def _is_peer(rule, own, other):
    if block := rule.get("ipBlock"):
        return bool(other.address) and _is_in(other.address, block)
    if other.address:
        return False
    # Without a selector of namespaces: the policy's own.
    here = (
        selects(rule["namespaceSelector"], other.namespace)
        if "namespaceSelector" in rule
        else other.namespace == own.namespace
    )
    return here and selects(rule.get("podSelector", {}), other.labels)


def _is_in(address, block):
    taken = ip_address(address) in ip_network(block["cidr"])
    return taken and not any(
        ip_address(address) in ip_network(each) for each in block.get("except", ())
    )


def _any_port(rules, target, port, protocol):
    return not rules or any(
        each["protocol"] == protocol and _number(each["port"], target) == port for each in rules
    )


def _number(port, target):
    """Of a port that may be a name, which counts at the pod that is connected to."""
    if isinstance(port, int) or target.pod is None:
        return port
    numbers = {
        each["name"]: each["containerPort"]
        for container in containers(target.pod)
        for each in container.get("ports", ())
    }
    return numbers.get(port)
