"""Settings of gunicorn, the web server: `gunicorn -c python:config.web_server`."""

import gc
from pathlib import Path

wsgi_app = "config.wsgi:application"
worker_class = "gthread"
workers = 2
threads = 8
# Loaded once and forked, which starts faster and shares memory; nothing connects while loading.
preload_app = True
keepalive = 75
timeout = 120
graceful_timeout = 10
limit_request_line = 8190
loglevel = "warning"
control_socket_disable = True
# A heartbeat file on a disk that is busy can make a healthy worker look dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - unnamed files


def post_fork(_server: object, _worker: object) -> None:
    """Keep the collector off what lives for ever, and let it look seldom at large batches."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
