"""Ingest: decode → normalise → validate → resolve → claim → rate → store, one module a step."""
