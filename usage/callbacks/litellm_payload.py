"""LiteLLM's `StandardLoggingPayload`, as much of it as is ever looked at.

Source: `litellm/types/utils.py` of LiteLLM 1.106. What was asked and answered is skipped while
decoding: no structure here has a place for it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from usage.ingest.values import exact_number
from usage.mapping.values import tags_of_list, text_of

_NOTHING = msgspec.Raw(b"null")
_LABELS = ("spend_logs_metadata", "requester_metadata", "user_api_key_auth_metadata")
# What LiteLLM adds to the caller's own tags.
_ADDED_TAG = "User-Agent:"


class Response(msgspec.Struct):
    """The body that the provider answered with, without the answer."""

    model: Any = None
    service_tier: Any = None
    usage: Any = None


class Error(msgspec.Struct):
    """Why a call failed."""

    error_code: Any = None
    error_class: Any = None
    error_provider_request_id: Any = None


class Payload(msgspec.Struct):
    """One call. Times are seconds since 1970, `response_cost` is in USD."""

    id: Any = None
    litellm_call_id: Any = None
    trace_id: Any = None
    session_id: Any = None
    call_type: Any = None
    status: Any = None
    cache_hit: Any = None
    custom_llm_provider: Any = None
    api_base: Any = None
    model: Any = None
    start_time: Any = msgspec.field(default=None, name="startTime")
    end_time: Any = msgspec.field(default=None, name="endTime")
    response_cost: Any = None
    prompt_tokens: Any = None
    completion_tokens: Any = None
    total_tokens: Any = None
    request_tags: Any = None
    end_user: Any = None
    metadata: msgspec.Raw = _NOTHING
    response: msgspec.Raw = _NOTHING
    error_information: msgspec.Raw = _NOTHING
    model_parameters: msgspec.Raw = _NOTHING


class _Parameters(msgspec.Struct):
    user: Any = None
    service_tier: Any = None


_decode = msgspec.json.Decoder(Payload, float_hook=exact_number).decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_any = msgspec.json.Decoder(float_hook=exact_number).decode
_decode_response = msgspec.json.Decoder(Response, float_hook=exact_number).decode
_decode_error = msgspec.json.Decoder(Error, float_hook=exact_number).decode
_decode_parameters = msgspec.json.Decoder(_Parameters, float_hook=exact_number).decode
FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Record:
    """One payload with the parts of it that may be of any shape read as far as they go."""

    def __init__(self, raw: bytes | msgspec.Raw) -> None:
        """Raises one of `FAULTS` for what is no JSON object."""
        self.payload = _decode(raw)
        self.response = _read(_decode_response, self.payload.response, Response())
        self.error = _read(_decode_error, self.payload.error_information, Error())
        self.parameters = _read(_decode_parameters, self.payload.model_parameters, _Parameters())
        self._metadata = _read(_decode_members, self.payload.metadata, {})

    def told(self) -> list[dict[str, Any]]:
        """Attributes for the rules: what the gateway knows, then what the caller labelled."""
        known = {
            name: text
            for name, raw in self._metadata.items()
            if bytes(raw)[:1] not in (b"{", b"[", b"n")
            and (text := text_of(_read(_decode_any, raw, None)))
        }
        known["end_user"] = text_of(self.payload.end_user) or text_of(self.parameters.user)
        tags = self.payload.request_tags if isinstance(self.payload.request_tags, list) else []
        own = [tag for tag in tags if not text_of(tag).startswith(_ADDED_TAG)]
        return [known, tags_of_list(own), *(self._labels(name) for name in _LABELS)]

    def usage(self) -> Mapping[str, Any]:
        """The counts as LiteLLM puts them for every provider, else as the provider did."""
        normalised = self._object("usage_object")
        answered = self.response.usage
        if not normalised.get("prompt_tokens") and isinstance(answered, dict) and answered:
            return answered
        if normalised:
            return normalised
        payload = self.payload
        totals = (payload.prompt_tokens, payload.completion_tokens, payload.total_tokens)
        names = ("prompt_tokens", "completion_tokens", "total_tokens")
        return dict(zip(names, totals, strict=True)) if any(totals) else {}

    def _labels(self, name: str) -> dict[str, Any]:
        return {key: value for key, value in self._object(name).items() if value is not None}

    def _object(self, name: str) -> dict[str, Any]:
        found = _read(_decode_any, self._metadata.get(name, _NOTHING), {})
        return found if isinstance(found, dict) else {}


def _read(decode: Any, raw: msgspec.Raw, otherwise: Any) -> Any:
    try:
        return decode(raw)
    except FAULTS:
        return otherwise
