"""Django's PostgreSQL backend with a cheaper way to tell whether a kept connection is alive."""
