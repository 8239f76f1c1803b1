"""Where notices go: e-mail, Slack, webhooks and other services."""
