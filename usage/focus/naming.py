"""What FOCUS calls our meters and their units. Pure."""

from pricing.meters import MODALITIES, meter_named

REPORTED_COST = "Reported Cost"
OTHER_COST = "Other Cost"
ADJUSTMENT = "Price Adjustment"

_TRAITS = (
    ("cache_read", "Cache Read"),
    ("cache_write", "Cache Write"),
    ("5m", "5m"),
    ("1h", "1h"),
    *((modality, modality.title()) for modality in MODALITIES),
    ("tool", "Tool"),
    ("reasoning", "Reasoning"),
    ("citation", "Citation"),
    ("input", "Input"),
    ("output", "Output"),
)
# What vendors themselves call a meter on their price lists.
_OWN_WORDS = {
    ("anthropic", "cache_write_tokens"): "Cache Write 5m Input Tokens",
    ("openai", "cache_read_tokens"): "Cached Input Tokens",
}
_SERVICES = {"anthropic": "Claude API"}


def meter_label(provider: str, meter: str) -> str:
    """What a meter is called on the price list of `provider` (a slug)."""
    own = _OWN_WORDS.get((provider, meter))
    if own:
        return own
    traits = meter_named(meter).traits
    if not traits:
        return meter.replace("_", " ").title()
    return " ".join([*(word for trait, word in _TRAITS if trait in traits), "Tokens"])


def unit_of(meter: str) -> str:
    """The unit that a meter counts, in the plural."""
    if meter_named(meter).traits:
        return "Tokens"
    return meter.rpartition("_")[2].title()


def pricing_unit(per: int, unit: str) -> str:
    """What a unit price is for: `1000000 Tokens`."""
    return unit if per == 1 else f"{per} {unit}"


def service_name(provider: str, name: str) -> str:
    """What the service of a provider is called, given its slug and its name."""
    return _SERVICES.get(provider, f"{name} API")


def as_id(label: str) -> str:
    """A label as a part of an identifier: `Input Tokens` is `input_tokens`."""
    return label.lower().replace(" ", "_")
