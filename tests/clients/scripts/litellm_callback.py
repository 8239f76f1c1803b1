"""LiteLLM with its generic callback: one answer that is made up, one failure, no provider."""

import asyncio
import contextlib
from typing import TYPE_CHECKING

import litellm
from litellm.exceptions import RateLimitError
from litellm.integrations.generic_api.generic_api_callback import GenericAPILogger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MOCKED = litellm.ModelResponse(
    id="chatcmpl-litellm-0001",
    model="gpt-5",
    choices=[{"message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}],
    usage={
        "prompt_tokens": 2006,
        "completion_tokens": 1300,
        "total_tokens": 3306,
        "prompt_tokens_details": {"cached_tokens": 1920},
        "completion_tokens_details": {"reasoning_tokens": 1024},
    },
)


async def main() -> None:
    logger = GenericAPILogger(max_retries=3, retry_delay=0.2)
    litellm.callbacks = [logger]
    said = [{"role": "user", "content": "hi"}]
    await litellm.acompletion(
        model="openai/gpt-5",
        messages=said,
        mock_response=MOCKED,
        user="ada@example.org",
        metadata={"tags": ["beta"], "session_id": "talk-1"},
    )
    with contextlib.suppress(RateLimitError):
        await litellm.acompletion(
            model="openai/gpt-5",
            messages=said,
            mock_response=RateLimitError("slow", "openai", "gpt-5"),
            num_retries=0,
        )
    while len(logger.log_queue) < 2:
        await asyncio.sleep(0.05)
    send: Callable[[], Awaitable[None]] = logger.async_send_batch
    await send()


if __name__ == "__main__":
    asyncio.run(main())
