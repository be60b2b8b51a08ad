"""The traces of a configuration."""

from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec

from pyproxy.config.settings import Settings
from pyproxy.telemetry.tracer import Exporter, TraceRules


def trace_rules(settings: Settings) -> TraceRules | None:
    """How requests are traced; ``None``: they are not, or the extra is not installed."""
    traces = settings.traces
    if not traces.endpoint or not has_otel():
        return None
    return TraceRules(
        traces.endpoint,
        traces.sample,
        traces.service_name,
        tuple((name, value.reveal()) for name, value in traces.headers.items()),
        settings.metrics.users,
    )


@lru_cache(maxsize=1)
def has_otel() -> bool:
    """Whether the extra ``otel`` is installed; it is not loaded, which takes 0.3 s."""
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


def open_exporter(rules: TraceRules) -> Exporter:
    """What sends spans. Blocks while its libraries are loaded."""
    # 0.3 s and 20 MB, for those who trace; on the thread that sends.
    from pyproxy.telemetry.spans import OtlpExporter  # noqa: PLC0415 - see above

    return OtlpExporter(rules, version("pyproxy"))
