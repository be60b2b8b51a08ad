"""deploy/kubernetes: that clusters take it, and that its parts fit together."""

import re
import tomllib
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest

from pyproxy.config.quantities import parse_seconds
from tests.deploy.manifests import (
    BASE,
    COPILOT,
    KUBERNETES,
    REDIS,
    configuration,
    containers,
    examples,
    of_kind,
    only,
    only_config,
    pods,
    rendered,
    secret_items,
    selects,
)
from tests.deploy.resources import BY_KIND

# The oldest that has all we use (`preStop.sleep`), one between, and the newest.
VERSIONS = ("1.30", "1.34", "1.37")
FOLDERS = (BASE, REDIS, COPILOT)
ALL = pytest.mark.parametrize("name", FOLDERS)
NAMESPACE = "pyproxy"


# --- Clusters take it


@pytest.mark.parametrize("version", VERSIONS)
def test_every_document_is_valid(version):
    every = [d for name in FOLDERS for d in (*rendered(name), *examples(name))]
    distinct = [each for i, each in enumerate(every) if each not in every[:i]]

    for each in distinct:
        if each["kind"] not in BY_KIND:
            kubernetes_validate.validate(each, version, strict=True)


@ALL
def test_what_kubernetes_does_not_know_is_valid_too(name):
    foreign = of_kind([*rendered(name), *examples(BASE)], *BY_KIND)

    assert {each["kind"] for each in foreign} == set(BY_KIND)
    for each in foreign:
        jsonschema.validate(each, BY_KIND[each["kind"]])


def test_base_has_all_that_it_should():
    assert sorted(each["kind"] for each in rendered(BASE)) == [
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Namespace",
        "NetworkPolicy",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
        "Service",
        "ServiceAccount",
        "ServiceMonitor",
    ]


@ALL
def test_everything_is_in_the_one_namespace(name):
    placed = [each for each in [*rendered(name), *examples(name)] if each["kind"] != "Namespace"]

    assert {each["metadata"]["namespace"] for each in placed} == {NAMESPACE}


@ALL
def test_a_name_is_given_once(name):
    names = [(each["kind"], each["metadata"]["name"]) for each in rendered(name)]

    assert len(names) == len(set(names))


def test_image_is_of_this_version():
    version = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]["version"]
    (gateway,) = containers(pods(rendered(BASE))["pyproxy"])

    assert gateway["image"] == f"pyproxy:{version}"


# --- Parts fit together


@ALL
def test_ports_that_are_named_exist(name):
    for pod in pods(rendered(name)).values():
        for container in containers(pod):
            own = {port["name"] for port in container["ports"]}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                (how,) = container[probe].keys() & {"httpGet", "tcpSocket", "exec", "grpc"}
                assert container[probe][how]["port"] in own


@ALL
def test_services_lead_to_pods_and_their_ports(name):
    for service in of_kind(rendered(name), "Service"):
        chosen = [
            pod
            for pod in pods(rendered(name)).values()
            if service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        ]
        assert len(chosen) == 1, service["metadata"]["name"]
        named = {port["name"] for each in containers(chosen[0]) for port in each["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named


@ALL
def test_ports_are_those_of_the_configuration(name):
    settings = configuration(rendered(name))
    (gateway,) = containers(pods(rendered(name))["pyproxy"])
    ports = {port["name"]: port["containerPort"] for port in gateway["ports"]}

    (listener,) = settings["listeners"]
    assert listener["bind"] == f"0.0.0.0:{ports['https']}"
    assert settings["server"]["admin"] == f"0.0.0.0:{ports['admin']}"


@ALL
def test_monitor_asks_the_admin_service_under_the_name_that_alerts_know(name):
    monitor = only(rendered(name), "ServiceMonitor")["spec"]
    services = of_kind(rendered(name), "Service")
    (asked,) = [s for s in services if selects(monitor["selector"], s["metadata"]["labels"])]
    alerts = Path("deploy/prometheus/alerts.yml").read_text("utf-8")

    job = asked["metadata"]["labels"][monitor["jobLabel"]]
    assert f'job="{job}"' in alerts
    assert [each["port"] for each in monitor["endpoints"]] == [
        port["name"] for port in asked["spec"]["ports"]
    ]


@ALL
def test_budget_and_autoscaler_are_about_the_gateway(name):
    documents = rendered(name)
    budget = only(documents, "PodDisruptionBudget")["spec"]
    scaler = only(documents, "HorizontalPodAutoscaler")["spec"]
    deployment = only(documents, "Deployment")

    assert selects(budget["selector"], pods(documents)["pyproxy"]["metadata"]["labels"])
    assert scaler["scaleTargetRef"] == {
        "apiVersion": deployment["apiVersion"],
        "kind": "Deployment",
        "name": "pyproxy",
    }
    assert "replicas" not in deployment["spec"]
    assert 1 < scaler["minReplicas"] < scaler["maxReplicas"]


@ALL
def test_selectors_of_deployments_and_of_spreading_take_their_own_pods_alone(name):
    for deployment in of_kind(rendered(name), "Deployment"):
        own = deployment["metadata"]["name"]
        spread = deployment["spec"]["template"]["spec"].get("topologySpreadConstraints", ())
        for selector in [
            deployment["spec"]["selector"],
            *(each["labelSelector"] for each in spread),
        ]:
            taken = [
                each
                for each, pod in pods(rendered(name)).items()
                if selects(selector, pod["metadata"]["labels"])
            ]
            assert taken == [own]


@ALL
def test_there_is_time_to_drain(name):
    pod = pods(rendered(name))["pyproxy"]["spec"]
    (gateway,) = pod["containers"]
    before = gateway["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = parse_seconds(configuration(rendered(name))["server"]["drain"])

    assert pod["terminationGracePeriodSeconds"] >= before + drain + 10


@ALL
def test_secrets_that_are_mounted_are_in_the_examples(name):
    items = {
        (each["metadata"]["name"], item)
        for each in of_kind([*examples(BASE), *examples(name)], "Secret")
        for item in each["stringData"]
    }
    wanted = secret_items(rendered(name))

    assert wanted <= items
    assert {secret for secret, _ in items} == {secret for secret, _ in wanted} | {
        "pyproxy-providers"  # of which every item is mounted
    }


@ALL
def test_files_that_the_configuration_names_are_mounted(name):
    text = only_config(rendered(name))["data"]["pyproxy.toml"]
    providers = next(
        each["stringData"]
        for each in of_kind(examples(BASE), "Secret")
        if each["metadata"]["name"] == "pyproxy-providers"
    )
    mounted = {"/certs/copilot.crt", "/certs/copilot.key"}
    mounted |= {f"/run/secrets/pyproxy/{item}" for item in ("api_keys", "admin_token")}
    if name != COPILOT:
        mounted |= {f"/run/secrets/pyproxy/{item}" for item in providers}

    assert set(re.findall(r'"(/(?:run|certs|etc|var)/[^"]+)"', text)) == mounted


def test_examples_hold_no_value():
    for each in of_kind([*examples(BASE), *examples(REDIS), *examples(COPILOT)], "Secret"):
        assert set(each["stringData"].values()) == {""}
        assert "data" not in each


@ALL
def test_no_example_is_applied_with_the_rest(name):
    assert not of_kind(rendered(name), "Secret", "Issuer", "Certificate")


@ALL
def test_deployment_mounts_the_configuration_by_the_hash_of_its_content(name):
    for each in of_kind(rendered(name), "ConfigMap"):
        assert re.fullmatch(r"pyproxy-(config|redis)-[a-z0-9]{10}", each["metadata"]["name"])
    mounted = {
        volume["configMap"]["name"]
        for pod in pods(rendered(name)).values()
        for volume in pod["spec"]["volumes"]
        if "configMap" in volume
    }

    assert mounted == {each["metadata"]["name"] for each in of_kind(rendered(name), "ConfigMap")}


def test_overlay_changes_nothing_of_the_configuration():
    one, other = (only_config(rendered(name)) for name in (BASE, REDIS))

    assert one == other


def test_readme_of_deploy_names_the_folder():
    assert "](kubernetes)" in (KUBERNETES.parent / "README.md").read_text("utf-8")
