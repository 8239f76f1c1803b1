"""The Langfuse SDK with nothing changed but host and keys."""

from langfuse import get_client, propagate_attributes


def main() -> None:
    client = get_client()
    with (
        client.start_as_current_observation(name="answer", as_type="span"),
        propagate_attributes(user_id="ada@example.org", session_id="talk-1", tags=["beta"]),
    ):
        generation = client.start_observation(
            name="gen", as_type="generation", model="gpt-5", input="hi", output="x"
        )
        generation.update(
            usage_details={"input": 2006, "output": 1300, "cache_read_input_tokens": 1920},
            cost_details={"total": 0.0133475},
        )
        generation.end()
        embedding = client.start_observation(
            name="embed", as_type="embedding", model="text-embedding-3-small"
        )
        embedding.update(usage_details={"input": 8000})
        embedding.end()
        failed = client.start_observation(name="gen", as_type="generation", model="gpt-5")
        failed.update(level="ERROR", status_message="timed out")
        failed.end()
    client.flush()
    client.shutdown()


if __name__ == "__main__":
    main()
