"""What one request leaves behind: the access line, before it is a line."""

from dataclasses import dataclass


@dataclass(slots=True)
class Record:
    """Filled in by the handler as it learns, written once at the end.

    Nothing here may be a credential. Of a request that could not be read, what
    was not understood stays empty.

    Attributes:
        request_id: Ours, or the client's if it has the right form.
        ip: The client's address once trust is decided.
        user: The principal's name; empty before it is known.
        route: The route's name.
        method: As sent.
        path: Without the query; see ``path_of``.
        status: Sent to the client; 499 if it left before there was one.
        bytes_in: Of the request's body.
        bytes_out: Of the response's body.
        ms: From the request's first byte to the response's last.
        upstream_ms: Until the upstream's response head; below zero: it was not asked.
        upstream: The endpoint that was asked.
        is_aborted: The response broke off.
        code: Of the refusal, if it was one.
    """

    request_id: str = ""
    ip: str = ""
    user: str = ""
    route: str = ""
    method: str = ""
    path: str = ""
    status: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    ms: float = 0.0
    upstream_ms: float = -1.0
    upstream: str = ""
    is_aborted: bool = False
    code: str = ""


def path_of(target: bytes) -> str:
    """The path of a request target, fit to be written down.

    The query is left out whole: a list of parameters that hold credentials
    would always be one short. A target that is no path, or has a fragment, is not
    a request that passes, and may hold a password.
    """
    if not target.startswith(b"/"):
        return ""
    return target.partition(b"?")[0].partition(b"#")[0].decode("latin-1")
