"""A worker of the measured queue, in a process of its own: `python -m publishing.bench.worker`.

For each line on its input it drains once, as a Celery worker does, and writes a line of JSON.
"""

import json
import os
import resource
import sys
import time


def main() -> None:
    """Drain whenever told to."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from publishing.deliver import drain

    print("{}", flush=True)
    while sys.stdin.readline():
        began, cpu = time.perf_counter(), time.process_time()
        sent = drain()
        taken = {
            "sent": sent,
            "seconds": time.perf_counter() - began,
            "cpu": time.process_time() - cpu,
            "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
        print(json.dumps(taken), flush=True)


if __name__ == "__main__":
    main()
