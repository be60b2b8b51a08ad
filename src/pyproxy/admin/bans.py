"""Bans in force, and lifting one."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import parse_qs

from pyproxy.admin.answer import Answer, in_json
from pyproxy.admin.snapshot import BanBook
from pyproxy.errors.refusal import BadRequest
from pyproxy.limits.limit import IPV6_PREFIX_BITS, network

_NOT_FOUND: Final = 404
_PREFIX: Final = f"/{IPV6_PREFIX_BITS}"
_FORM: Final = "name one address: /bans?address=192.0.2.7"


async def list_bans(bans: BanBook) -> Answer:
    """Who is banned, and for how long still; the one that ends last first."""
    found = await bans.in_force()
    return in_json(
        {
            "bans": [
                {"address": each.client, "seconds_left": round(each.left_s, 1)} for each in found
            ]
        }
    )


async def lift_ban(bans: BanBook, client: str) -> Answer:
    """Let a client in again.

    Args:
        bans: Where bans are.
        client: From ``client_of``.
    """
    if await bans.lift(client):
        return in_json({"lifted": True})
    return in_json(
        {"error": "not_found", "message": "This address is not banned."}, status=_NOT_FOUND
    )


def client_of(query: bytes | None) -> str:
    """Whom a request names, as bans are written.

    Args:
        query: Without its ``?``.

    Raises:
        BadRequest: It names nobody, several, or what is no address.
    """
    try:
        found = parse_qs((query or b"").decode("ascii"), strict_parsing=True, max_num_fields=1)
        [text] = found["address"]
        # As the list shows it: an IPv6 address stands for its network.
        address = ip_address(text.removesuffix(_PREFIX) if ":" in text else text)
    except (KeyError, ValueError) as exc:
        raise bad_request(_FORM) from exc
    if "%" in str(address):  # an interface of this machine (RFC 4007 section 11)
        raise bad_request(_FORM)
    return network(str(address))


def bad_request(sentence: str) -> BadRequest:
    """One that tells its reader what would be understood."""
    made = BadRequest(sentence)
    made.message = f"The request is malformed: {sentence}."
    return made
