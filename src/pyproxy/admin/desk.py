"""What the admin listener's handler works with."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pyproxy.admin.elsewhere import Elsewhere
from pyproxy.admin.guard import Guard
from pyproxy.admin.page import Page, load_page
from pyproxy.admin.snapshot import BanBook, Gauge
from pyproxy.admin.window import Window
from pyproxy.telemetry.audit import AuditLog


@dataclass(slots=True)
class AdminDesk:
    """What the admin listener's handler works with.

    Attributes:
        gauge: Looks at the gateway.
        window: The last minute.
        bans: Who is shut out.
        audit: Takes security events.
        now: Monotonic seconds.
        wall: Epoch seconds.
        new_id: Makes request ids.
        elsewhere: Does what would hold up the loop.
        report: Takes an exception that is a fault of ours, with its request id.
        guard: Who may ask.
        page: The status page.
    """

    gauge: Gauge
    window: Window
    bans: BanBook
    audit: AuditLog
    now: Callable[[], float]
    wall: Callable[[], float]
    new_id: Callable[[], str]
    elsewhere: Elsewhere
    report: Callable[[BaseException, str], None]
    guard: Guard = field(default_factory=Guard)
    page: Page = field(default_factory=load_page)
