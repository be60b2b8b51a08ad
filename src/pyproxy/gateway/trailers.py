"""Which trailers of a request stay here."""

from dataclasses import dataclass, field

from pyproxy.identity.echo import holds
from pyproxy.transform.request import UpwardRules
from pyproxy.wire.head import FieldLine


@dataclass(frozen=True, slots=True)
class Withheld:
    """What does not travel on, asked once the body is whole.

    To a public API no trailer goes beside an injected credential: the head was judged long ago,
    nobody would look up whose key stands here, and none of these APIs reads any.

    Attributes:
        rules: The route's.
        token: The caller's credential, or ``b""``.
    """

    rules: UpwardRules
    token: bytes = field(repr=False)

    def __call__(self, trailer: FieldLine) -> bool:
        """Whether this one stays."""
        name, line = trailer
        is_public = self.rules.injects and not self.rules.tells_client
        if is_public or name in self.rules.dropped:
            return True
        return bool(self.token) and holds(line.partition(b":")[2].strip(), self.token)
