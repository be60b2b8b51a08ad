"""``serve``: from a configuration to an exit code."""

import asyncio
import os
import signal
import time
from functools import partial
from pathlib import Path

from pyproxy.config.load import Loaded, load
from pyproxy.runtime.groups import restrict
from pyproxy.runtime.inherited import Inherited
from pyproxy.runtime.journal import Journal
from pyproxy.runtime.loop import new_event_loop
from pyproxy.runtime.preflight import occupy_standard_descriptors, raise_file_limit
from pyproxy.runtime.service_manager import ServiceManager
from pyproxy.runtime.startup import Prepared, prepare
from pyproxy.runtime.supervisor import Supervisor


def serve(loaded: Loaded, inherited: Inherited) -> int:
    """Run the gateway until it is told to stop.

    Args:
        loaded: The configuration.
        inherited: Sockets that are there already.

    Returns:
        Exit code: 0 after a drain.

    Raises:
        ConfigurationError: It cannot start, with every reason.
    """
    occupy_standard_descriptors()
    manager = ServiceManager.take(os.environ, os.getpid())
    _ = restrict()  # what comes of a no is among the remarks
    prepared = prepare(loaded, time.time())
    journal = Journal(loaded.settings.server.log, time.time)
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_supervise(loaded, prepared, journal, inherited, manager))
        journal.log.info("worker.stopped")
    finally:
        # The loop is gone, and with it who hears of them: of these the process would die.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        journal.close(time.time())
        # On its way out Python gives signals their own meaning back.
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    return 0


async def _supervise(
    loaded: Loaded,
    prepared: Prepared,
    journal: Journal,
    inherited: Inherited,
    manager: ServiceManager,
) -> None:
    reload = partial(load, loaded.path, os.environ, Path.cwd())
    supervisor = Supervisor(loaded, journal, reload, raise_file_limit(), inherited, manager)
    await supervisor.run(prepared)
