"""`python -m simulator`: a line of JSON says where it listens, then it serves until told to end."""

import argparse
import asyncio
import ctypes
import json
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from simulator.app import build

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_GRACE = 0.05  # seconds for answers under way at the end; aiohttp takes 0 for "no limit"


def main() -> None:
    """Reads the arguments and serves until SIGTERM, SIGINT or, if wanted, the parent's death."""
    options = _options()
    if options.with_parent:
        _end_with(os.getppid())
    asyncio.run(_serve(options))


async def _serve(options: argparse.Namespace) -> None:
    told_to_end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_end.set)
    app = build(seed=options.seed, pace=options.pace, memory=options.memory)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE)
    await runner.setup()
    site = web.TCPSite(runner, options.host, options.port, backlog=1024)
    try:
        await site.start()
    except OSError as problem:
        sys.exit(
            f"The simulator can't listen on {options.host}:{options.port}: {problem.strerror}."
        )
    port = runner.addresses[0][1]
    print(json.dumps({"url": f"http://{options.host}:{port}", "pid": os.getpid()}), flush=True)
    await told_to_end.wait()
    await runner.cleanup()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="order and words of the news, faults")
    parser.add_argument(
        "--pace", type=float, default=20, help="seconds to the next report; 0: none"
    )
    parser.add_argument("--memory", type=Path, help="a file: go on where it ends")
    parser.add_argument("--with-parent", action="store_true", help="end when the parent ends")
    return parser.parse_args()


def _end_with(parent: int) -> None:
    """Asks Linux for SIGTERM when the parent dies; elsewhere the parent has to end us."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(0)


if __name__ == "__main__":
    main()
