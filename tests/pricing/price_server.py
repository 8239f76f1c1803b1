import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class PriceServer:
    def __init__(self, url: str) -> None:
        self.url = url
        self.requests = 0
        self.say([])

    def say(self, body: object, status: int = 200, wait: float = 0) -> None:
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.status = status
        self.wait = wait


@contextmanager
def serving() -> Iterator[PriceServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.requests += 1
            time.sleep(told.wait)
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told = PriceServer(f"http://127.0.0.1:{server.server_address[1]}/prices.json")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def model(name: str, **prices: float) -> dict[str, Any]:
    return {"id": name, "match": {"equals": name}, "prices": prices}


def shop(*models: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": "shop", "name": "Shop", "api_pattern": "https://shop", "models": list(models)}]
