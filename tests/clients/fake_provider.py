"""An AI provider that always uses the same numbers of tokens; it speaks OpenAI's and Anthropic's.

A prompt of one word is the tail of the ids in its answer, so that tests know them; any other
request is named by a digest of its body. Prompts that begin with "fail" fail.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

CHAT_USAGE = {
    "prompt_tokens": 2006,
    "completion_tokens": 1300,
    "total_tokens": 3306,
    "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 1024, "audio_tokens": 0},
}
EMBEDDING_USAGE = {"prompt_tokens": 8000, "total_tokens": 8000}
RESPONSES_USAGE = {
    "input_tokens": 12000,
    "input_tokens_details": {"cached_tokens": 8000, "cache_write_tokens": 2000},
    "output_tokens": 2500,
    "output_tokens_details": {"reasoning_tokens": 700},
    "total_tokens": 14500,
}
MESSAGES_USAGE = {
    "input_tokens": 50,
    "cache_creation_input_tokens": 556,
    "cache_read_input_tokens": 1800,
    "cache_creation": {"ephemeral_5m_input_tokens": 456, "ephemeral_1h_input_tokens": 100},
    "output_tokens": 393,
    "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
    "service_tier": "standard",
}
_OF_ONE_WORD = 60


class Answered(NamedTuple):
    """One request and the names the provider gave its answer."""

    path: str
    body: dict[str, Any]
    response_id: str
    request_id: str


class FakeProvider:
    """The server at `url`; `answered` lists what it was asked, in the order of arrival."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answered: list[Answered] = []
        self.asked: list[str] = []

    def calls(self, path: str) -> list[Answered]:
        return [call for call in self.answered if call.path == path]


@contextmanager
def fake_provider() -> Iterator[FakeProvider]:
    class Handler(_Handler):
        @property
        def provider(self) -> FakeProvider:
            return provider

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider = FakeProvider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield provider
    server.shutdown()
    server.server_close()
    thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def provider(self) -> FakeProvider:
        raise NotImplementedError

    def do_HEAD(self) -> None:
        self._json({}, 200)

    def do_GET(self) -> None:
        self.provider.asked.append(f"GET {self.path}")
        path = self.path.partition("?")[0]
        if path.endswith("/models"):
            self._json({"object": "list", "data": [], "models": [], "has_more": False}, 200)
        else:
            self._json({"error": {"type": "not_found_error", "message": "none"}}, 404)

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        self.provider.asked.append(f"POST {self.path}")
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        body = _read(raw)
        name = _tail(body, raw)
        if path not in _ANSWERS:
            self._json({"error": {"type": "not_found_error", "message": "none"}}, 404)
            return
        response_id = f"{_PREFIXES[path]}{name}"
        call = Answered(path, body, response_id, f"req_{name}")
        self.provider.answered.append(call)
        if name.startswith("fail"):
            error = {"type": "invalid_request_error", "message": "as asked", "code": "as_asked"}
            self._json({"type": "error", "error": error}, 400, call)
        elif body.get("stream"):
            self._stream(list(_STREAMS[path](call)), call)
        else:
            self._json(_ANSWERS[path](call), 200, call)

    def _json(self, answer: Any, status: int, call: Answered | None = None) -> None:
        self._send(json.dumps(answer).encode(), "application/json", status, call)

    def _stream(self, events: list[dict[str, Any]], call: Answered) -> None:
        text = "".join(
            (f"event: {event['type']}\n" if "type" in event else "")
            + f"data: {json.dumps(event)}\n\n"
            for event in events
        )
        if call.path == "/v1/chat/completions":
            text += "data: [DONE]\n\n"
        self._send(text.encode(), "text/event-stream", 200, call)

    def _send(self, content: bytes, kind: str, status: int, call: Answered | None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if call:
            # The one is Anthropic's, the other OpenAI's.
            self.send_header("request-id", call.request_id)
            self.send_header("x-request-id", call.request_id)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        return


def _read(raw: bytes) -> dict[str, Any]:
    try:
        read = json.loads(raw)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _tail(body: dict[str, Any], raw: bytes) -> str:
    messages = body.get("messages") or [{"content": body.get("input")}]
    prompt = messages[-1].get("content") if isinstance(messages[-1], dict) else None
    if isinstance(prompt, str) and len(prompt) <= _OF_ONE_WORD and len(prompt.split()) == 1:
        return prompt
    return sha256(raw).hexdigest()[:24]


def _chat(call: Answered) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Hello there"}
    return {
        "id": call.response_id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": call.body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": CHAT_USAGE,
        "service_tier": "default",
    }


def _chat_stream(call: Answered) -> Iterator[dict[str, Any]]:
    whole = _chat(call)
    head = {key: whole[key] for key in ("id", "created", "model", "service_tier")}
    head |= {"object": "chat.completion.chunk"}
    for delta, reason in (
        ({"role": "assistant", "content": "Hello"}, None),
        ({"content": " there"}, None),
        ({}, "stop"),
    ):
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
    if (call.body.get("stream_options") or {}).get("include_usage"):
        yield {**head, "choices": [], "usage": CHAT_USAGE}


def _embeddings(call: Answered) -> dict[str, Any]:
    vector = {"object": "embedding", "index": 0, "embedding": [0.5, -0.5]}
    model = call.body["model"]
    return {"object": "list", "data": [vector], "model": model, "usage": EMBEDDING_USAGE}


def _message_item(call: Answered) -> dict[str, Any]:
    text = {"type": "output_text", "text": "Hello there", "annotations": []}
    return {
        "id": call.response_id.replace("resp_", "msg_"),
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [text],
    }


def _response(call: Answered) -> dict[str, Any]:
    return {
        "id": call.response_id,
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "model": call.body["model"],
        "output": [_message_item(call)],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "service_tier": "default",
        "usage": RESPONSES_USAGE,
    }


def _response_stream(call: Answered) -> Iterator[dict[str, Any]]:
    whole, item = _response(call), _message_item(call)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    place = {"output_index": 0, "content_index": 0, "item_id": item["id"]}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "status": "in_progress", "content": []},
        },
        {"type": "response.output_text.delta", "delta": "Hello there", "logprobs": [], **place},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    for number, event in enumerate(events):
        yield {**event, "sequence_number": number}


def _message(call: Answered) -> dict[str, Any]:
    return {
        "id": call.response_id,
        "type": "message",
        "role": "assistant",
        "model": call.body["model"],
        "content": [{"type": "text", "text": "Hello there"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": MESSAGES_USAGE,
    }


def _message_stream(call: Answered) -> Iterator[dict[str, Any]]:
    begun = {**_message(call), "content": [], "stop_reason": None}
    yield {
        "type": "message_start",
        "message": {**begun, "usage": {**MESSAGES_USAGE, "output_tokens": 1}},
    }
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    delta = {"type": "text_delta", "text": "Hello there"}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": MESSAGES_USAGE}
    yield {"type": "message_stop"}


_PREFIXES = {
    "/v1/chat/completions": "chatcmpl-",
    "/v1/embeddings": "embd-",
    "/v1/responses": "resp_",
    "/v1/messages": "msg_",
}
_ANSWERS = {
    "/v1/chat/completions": _chat,
    "/v1/embeddings": _embeddings,
    "/v1/responses": _response,
    "/v1/messages": _message,
}
_STREAMS = {
    "/v1/chat/completions": _chat_stream,
    "/v1/responses": _response_stream,
    "/v1/messages": _message_stream,
}
