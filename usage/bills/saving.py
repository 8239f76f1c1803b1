"""Setting up where bills are read from."""

from usage.bills.keys import check_key, sealed
from usage.models import BillSource

FIRST_PROVIDERS = {
    BillSource.Kind.ANTHROPIC: ["anthropic"],
    BillSource.Kind.OPENAI: ["openai"],
    BillSource.Kind.OPENROUTER: ["openrouter"],
}
"""Under which names a provider's calls are recorded, unless somebody says otherwise."""


def save_source(source: BillSource, key: str | None) -> None:
    """Store a source; `key` None leaves the one it has. Raises WrongKey.

    Where its first day lies earlier than before, days are fetched from there again. A new key
    ends what was wrong with the one before.
    """
    if key:
        check_key(source.kind, key)
        source.sealed_key = sealed(key)
        source.fault, source.failing_since = "", None
    if not source.providers:
        source.providers = FIRST_PROVIDERS.get(BillSource.Kind(source.kind), [])
    before = BillSource.objects.filter(pk=source.pk).first()
    if before is not None and source.first_day < before.first_day:
        source.fetched_until = None
    source.save()
