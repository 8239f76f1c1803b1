"""The words that instrumentations have for the same things, and what each means by them.

Sources: OpenTelemetry's GenAI conventions in their current and older forms, and the sources or
documentation of OpenLLMetry (Traceloop), OpenInference, Langfuse, the Vercel AI SDK, LiteLLM,
Pydantic AI, Strands, Sentry, Anthropic's SDK and Claude Code.
"""
