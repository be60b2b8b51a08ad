"""deploy/kubernetes: what its pods may, which is little."""

import pytest

from tests.deploy.manifests import BASE, COPILOT, REDIS, containers, only, pods, rendered

ALL = pytest.mark.parametrize("name", [BASE, REDIS, COPILOT])


@ALL
def test_pods_may_no_more_than_the_restricted_profile(name):
    assert only(rendered(name), "Namespace")["metadata"]["labels"] == {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
    }
    for pod in pods(rendered(name)).values():
        spec, own = pod["spec"], pod["spec"]["securityContext"]
        assert own["runAsNonRoot"] is True
        assert own["runAsUser"] == own["runAsGroup"] == own["fsGroup"] == 65532
        assert own["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


@ALL
def test_nothing_is_writable_and_secrets_are_for_the_group_alone(name):
    for owner, pod in pods(rendered(name)).items():
        volumes = {each["name"]: each for each in pod["spec"]["volumes"]}
        (container,) = containers(pod)
        for mount in container["volumeMounts"]:
            volume = volumes[mount["name"]]
            if owner == "copilot-api" and "emptyDir" in volume:
                assert volume["emptyDir"] == {"medium": "Memory", "sizeLimit": "16Mi"}
                continue
            (source,) = volume.keys() & {"secret", "configMap", "projected"}
            assert volume[source]["defaultMode"] == 0o440
            assert mount["readOnly"]
            assert "subPath" not in mount


@ALL
def test_no_pod_may_ask_the_api_server(name):
    assert only(rendered(name), "ServiceAccount")["automountServiceAccountToken"] is False
    for pod in pods(rendered(name)).values():
        assert pod["spec"]["serviceAccountName"] == "pyproxy"
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["enableServiceLinks"] is False


@ALL
def test_memory_is_bounded(name):
    for pod in pods(rendered(name)).values():
        for container in containers(pod):
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert container["resources"]["limits"].keys() == {"memory"}
