"""Who reads a client's connection once it speaks something other than HTTP."""

import asyncio
from abc import ABC, abstractmethod


class Successor(asyncio.Protocol, ABC):
    """Takes a connection over, for good (RFC 9110 section 7.8).

    Tells the owner of a full transport, of one that is not full any more, and of its loss.
    """

    @abstractmethod
    def take_over(self, owner: asyncio.Protocol, transport: asyncio.Transport) -> None:
        """Go on where ``owner`` ends; it keeps the connection's books, and closes it."""

    @abstractmethod
    def drain(self) -> None:
        """Come to an end, if there is an orderly one."""
