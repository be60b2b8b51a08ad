"""Schemas of resources that Kubernetes itself does not know: of the fields that we use.

Of the operators' own schemas, which are long, when this was written: Prometheus operator 0.93 and
cert-manager of August 2026 took our documents, unknown fields forbidden.
"""

_TEXT = {"type": "string", "minLength": 1}
_LABELS = {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1}
_DURATION = {"type": "string", "pattern": "^([0-9]+h)?([0-9]+m)?([0-9]+s)?$", "minLength": 2}


def _object(required, **properties):
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


def _resource(api, kind, spec):
    metadata = _object(["name", "namespace"], name=_TEXT, namespace=_TEXT, labels=_LABELS)
    return _object(
        ["apiVersion", "kind", "metadata", "spec"],
        apiVersion={"const": api},
        kind={"const": kind},
        metadata=metadata,
        spec=spec,
    )


_AUTHORIZATION = _object(
    ["credentials"],
    type={"enum": ["Bearer"]},
    credentials=_object(["name", "key"], name=_TEXT, key=_TEXT),
)
SERVICE_MONITOR = _resource(
    "monitoring.coreos.com/v1",
    "ServiceMonitor",
    _object(
        ["selector", "endpoints"],
        jobLabel=_TEXT,
        selector=_object(["matchLabels"], matchLabels=_LABELS),
        endpoints={
            "type": "array",
            "minItems": 1,
            "items": _object(
                ["port"],
                port=_TEXT,
                path={"type": "string", "pattern": "^/"},
                interval=_DURATION,
                scheme={"enum": ["http", "https"]},
                authorization=_AUTHORIZATION,
            ),
        },
    ),
)
ISSUER = _resource(
    "cert-manager.io/v1",
    "Issuer",
    {
        **_object([], selfSigned=_object([]), ca=_object(["secretName"], secretName=_TEXT)),
        "minProperties": 1,
        "maxProperties": 1,
    },
)
CERTIFICATE = _resource(
    "cert-manager.io/v1",
    "Certificate",
    _object(
        ["secretName", "issuerRef"],
        secretName=_TEXT,
        isCA={"type": "boolean"},
        commonName={"type": "string", "maxLength": 64},
        dnsNames={"type": "array", "items": _TEXT, "minItems": 1},
        duration=_DURATION,
        renewBefore=_DURATION,
        privateKey=_object(
            [],
            algorithm={"enum": ["RSA", "ECDSA", "Ed25519"]},
            size={"type": "integer"},
            rotationPolicy={"enum": ["Never", "Always"]},
        ),
        issuerRef=_object(["name"], name=_TEXT, kind={"enum": ["Issuer", "ClusterIssuer"]}),
    ),
)
BY_KIND = {"ServiceMonitor": SERVICE_MONITOR, "Issuer": ISSUER, "Certificate": CERTIFICATE}
