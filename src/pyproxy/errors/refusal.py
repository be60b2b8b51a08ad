"""Every way a request can be refused: its status, its code, its sentence."""

from typing import ClassVar

Field = tuple[bytes, bytes]


class Refusal(Exception):
    """A request that is answered by the gateway itself, with an error.

    The class knows what the client is told; ``detail`` is for the operator's
    log alone and never leaves the process.

    Attributes:
        status: HTTP status.
        code: Stable name of the refusal, part of the contract.
        message: One sentence for the client, the same for every cause of the code.
        is_final: No retry can mend it; says ``x-should-retry: false``.
        is_failed_attempt: A credential was tried that is none, which counts towards a ban.
        fields: Further header fields of the answer.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    message: str = "The gateway failed. The request id tells its operator where to look."
    is_final: ClassVar[bool] = False
    is_failed_attempt: ClassVar[bool] = False

    def __init__(self, detail: str = "", *, fields: tuple[Field, ...] = ()) -> None:
        super().__init__(detail or self.code)
        self.detail = detail
        self.fields = fields


class BadRequest(Refusal):
    """The request breaks HTTP, or could be read in two ways."""

    status, code, is_final = 400, "bad_request", True
    message = "The request is malformed."


class AmbiguousCredentials(Refusal):
    """Two different credentials in one request."""

    status, code, is_final = 400, "ambiguous_credentials", True
    message = "The request carries two different credentials; send one."


class Unauthenticated(Refusal):
    """Nobody known is asking (RFC 9110 section 15.5.2)."""

    status, is_final = 401, True

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, fields=((b"WWW-Authenticate", b"Bearer"),))


class MissingToken(Unauthenticated):
    """No credential where one is required."""

    code = "missing_token"
    message = "A credential is required: send 'Authorization: Bearer KEY'."


class InvalidToken(Unauthenticated):
    """A credential that is not good, for whatever reason."""

    code, is_failed_attempt = "invalid_token", True
    message = "The credential is not valid here."


class ExpiredToken(Unauthenticated):
    """A credential of ours, past its time."""

    code = "expired_token"
    message = "The credential has expired; get a new one."


class InvalidSharedSecret(Refusal):
    """A wrong or missing shared secret."""

    status, code, is_final, is_failed_attempt = 403, "invalid_token", True, True
    message = "The credential is not valid here."


class NoSharedSecret(InvalidSharedSecret):
    """No shared secret, or two: nothing was tried."""

    is_failed_attempt = False


class Banned(Refusal):
    """The client failed too often, and is shut out for longer than an SDK tries again."""

    status, code, is_final = 403, "banned", True
    message = "This address is shut out for a while: too many credentials from it were wrong."


class AddressNotAllowed(Refusal):
    """The client's address is outside what the route allows."""

    status, code, is_final = 403, "ip_not_allowed", True
    message = "This address may not use this route."


class HostNotAllowed(Refusal):
    """The admin listener was asked under a name that a stranger could have made lead here."""

    status, code, is_final = 403, "host_not_allowed", True
    message = (
        "Without an admin token this listener answers only to an IP address, localhost, or a "
        "name of the local network."
    )


class CrossOrigin(Refusal):
    """A page of another origin asks the admin listener for a change."""

    status, code, is_final = 403, "cross_origin", True
    message = "A page of another origin may change nothing here."


class UserNotAllowed(Refusal):
    """Known, but not permitted on this route."""

    status, code, is_final = 403, "user_not_allowed", True
    message = "This user may not use this route."


class ModelNotAllowed(Refusal):
    """The model is not on the route's list, or it is not certain which one is asked for."""

    status, code, is_final = 403, "model_not_allowed", True
    message = "This route allows only some models."

    @classmethod
    def because(cls, reason: str, detail: str = "") -> "ModelNotAllowed":
        """One that tells the client why, so that it can ask in another way.

        Args:
            reason: A clause that repeats nothing of the request.
            detail: For the operator; the reason, if there is no more to say.
        """
        made = cls(detail or reason)
        made.message = f"This route allows only some models, and {reason}."
        return made


class PathDenied(Refusal):
    """The path is closed to every client."""

    status, code, is_final = 403, "path_denied", True
    message = "This path is closed on this gateway."


class NotFound(Refusal):
    """No route takes the request."""

    status, code, is_final = 404, "not_found", True
    message = "No route of this gateway takes this path."


class MethodNotAllowed(Refusal):
    """The path exists; the method is not for it (RFC 9110 section 15.5.6)."""

    status, code, is_final = 405, "method_not_allowed", True
    message = "This method is not allowed here."


class RequestTimeout(Refusal):
    """The client took too long to send its request (RFC 9110 section 15.5.9)."""

    status, code = 408, "request_timeout"
    message = "The request did not arrive in time."


class BodyTooLarge(Refusal):
    """The request's body is over the limit."""

    status, code, is_final = 413, "body_too_large", True
    message = "The request's body is larger than this route allows."


class UriTooLong(Refusal):
    """The request line is over the limit (RFC 9110 section 15.5.15)."""

    status, code, is_final = 414, "uri_too_long", True
    message = "The request's URI is longer than this gateway allows."


class ExpectationFailed(Refusal):
    """An expectation other than 100-continue (RFC 9110 section 10.1.1)."""

    status, code, is_final = 417, "expectation_failed", True
    message = "Only the expectation 100-continue can be met."


class HeadersTooLarge(Refusal):
    """The request's header fields are over the limit (RFC 6585 section 5)."""

    status, code, is_final = 431, "headers_too_large", True
    message = "The request's header is larger than this gateway allows."


class RateLimited(Refusal):
    """Too many requests (RFC 6585 section 4).

    Attributes:
        limit: The name of the rate limit that was met; empty: it was something else.
    """

    status, code = 429, "rate_limited"
    message = "Too many requests; wait as long as Retry-After says."

    def __init__(
        self, detail: str = "", *, fields: tuple[Field, ...] = (), limit: str = ""
    ) -> None:
        super().__init__(detail, fields=fields)
        self.limit = limit


class AttemptsSpent(RateLimited):
    """A client has no failed authentication left, so that its credential is not even tried."""

    is_failed_attempt = True

    def uncounted(self) -> RateLimited:
        """The same refusal of somebody who tried nothing."""
        return RateLimited(self.detail, fields=self.fields, limit=self.limit)


class TooManyConcurrent(Refusal):
    """Too many requests of one user at the same time."""

    status, code = 429, "too_many_concurrent"
    message = "Too many requests at the same time; wait for one to end."


class NoSigningKey(Refusal):
    """Tokens are asked for, and there is no key to sign them."""

    status, code, is_final = 501, "no_signing_key", True
    message = "This gateway mints no tokens: it has no signing key."


class UpstreamUnreachable(Refusal):
    """No connection to the upstream, or it ended before an answer."""

    status, code = 502, "upstream_unreachable"
    message = "The upstream cannot be reached."


class UpstreamProtocolError(Refusal):
    """The upstream answered something that is not HTTP."""

    status, code = 502, "upstream_protocol_error"
    message = "The upstream's answer cannot be understood."


class Draining(Refusal):
    """The gateway is about to stop."""

    status, code = 503, "draining"
    message = "The gateway is stopping; ask again."


class CredentialMissing(Refusal):
    """The upstream wants a credential that nobody configured."""

    status, code, is_final = 503, "credential_missing", True
    message = "The gateway has no credential for this API."

    @classmethod
    def naming(cls, variables: tuple[str, ...]) -> "CredentialMissing":
        """One that says which variables could hold it."""
        names = " or ".join(variables)
        made = cls(f"{names} is not set")
        made.message = f"The gateway has no credential for this API: its operator must set {names}."
        return made


class NoWorker(Refusal):
    """The admin listener has a question that only a worker can answer, and none does."""

    status, code = 503, "no_worker"
    message = "No worker answers at the moment."


class StoreUnavailable(Refusal):
    """Limits cannot be checked, and the configuration says to refuse then."""

    status, code = 503, "store_unavailable"
    message = "Limits cannot be checked at the moment."


class UpstreamTimeout(Refusal):
    """The upstream stayed silent for too long."""

    status, code = 504, "upstream_timeout"
    message = "The upstream did not answer in time."
