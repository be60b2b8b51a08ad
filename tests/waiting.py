"""Waiting for what happens inside of a loop: its turns are counted, no time is."""

import asyncio


async def turns(count=10):
    """Let the loop go round, so often that every task runs until it waits."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(is_so):
    """Let the loop go round until something is so that tells nobody, or the test takes too long."""
    while not is_so():
        await turns(1)
