"""The life of alerts: how they open, are acknowledged, and resolved."""
