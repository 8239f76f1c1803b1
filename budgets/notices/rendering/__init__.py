"""Messages as channels take them: text, HTML, Slack's blocks, and JSON for webhooks. Pure.

Whatever a message says, none of these is longer than a channel takes, breaks out of its line, or
is read as markup. Each is loaded by who uses it: Slack's models are many.
"""
