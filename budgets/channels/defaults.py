"""Default channels of an organization that are set in passing, by an address or a URL."""

from collections.abc import Iterable
from typing import NamedTuple

from budgets.channels.saving import remove_channel, save_channel, signing_secret
from budgets.channels.sealing import Unreadable, unseal
from budgets.channels.ways import way_of
from budgets.models import Channel
from budgets.selectors.channels import shown_target
from budgets.setting import Actor
from usage.models import Organization


class Told(NamedTuple):
    """What became of a channel, in a line, whether that is another than before, and the secret
    of a webhook that was made; "" of all others."""

    text: str
    changed: bool
    secret: str = ""


def add_target(owner: Organization, kind: str, target: str, actor: Actor) -> Told:
    """Let alerts go to `target` too, by a default channel of this kind that is switched on.

    Addresses of e-mail come together in one channel. Raises ValidationError.
    """
    checked = way_of(kind).check(target)
    wanted = set(_parts(kind, checked))
    for channel in _defaults(owner, kind):
        if wanted <= set(_targets(channel)):
            return _saved(channel, None, actor)
    own = _called(owner, kind)
    if kind == Channel.Kind.EMAIL and own is not None:
        return _saved(own, ",".join(dict.fromkeys([*_targets(own), *_parts(kind, checked)])), actor)
    return _saved(_new(owner, kind), checked, actor)


def set_target(
    owner: Organization, kind: str, target: str, actor: Actor, *, enabled: bool = True
) -> Told | None:
    """Let the channel that is called after its kind go to `target` and nowhere else.

    Not `enabled`, it is switched off; None where there is none to switch off. Raises
    ValidationError.
    """
    checked = way_of(kind).check(target)
    own = _called(owner, kind)
    if own is None and not enabled:
        return None
    changes = own is None or _targets(own) != _parts(kind, checked)
    return _saved(own or _new(owner, kind), checked if changes else None, actor, enabled=enabled)


def remove_target(owner: Organization, kind: str, target: str, actor: Actor) -> str:
    """Let alerts go to `target` no more; return what was done in a line, "" where no default
    channel of this kind has it. Raises ValidationError where budgets name a channel that goes."""
    unwanted = set(_parts(kind, way_of(kind).check(target)))
    for channel in _defaults(owner, kind):
        targets = _targets(channel)
        left = [each for each in targets if each not in unwanted]
        if len(left) == len(targets):
            continue
        if left:
            return _saved(channel, ",".join(left), actor).text
        remove_channel(channel, actor)
        return f"{_name(channel)}: removed"
    return ""


def _saved(channel: Channel, target: str | None, actor: Actor, *, enabled: bool = True) -> Told:
    is_new = channel.pk is None
    as_before = target is None and (channel.is_default, channel.enabled) == (True, enabled)
    if not as_before:
        channel.is_default, channel.enabled = True, enabled
        save_channel(channel, target, actor)
    said = f"{_name(channel)}: {shown_target(channel)}" + ("" if enabled else ", switched off")
    if as_before:
        return Told(f"{said}, as before", changed=False)
    return Told(said, changed=True, secret=signing_secret(channel) if is_new else "")


def _name(channel: Channel) -> str:
    owner = channel.organization
    return f"{owner.slug if owner else 'the site'} · channel {channel.name}"


def _defaults(owner: Organization, kind: str) -> Iterable[Channel]:
    rows = Channel.objects.filter(organization=owner, kind=kind, is_default=True)
    return rows.select_related("organization").order_by("pk")


def _called(owner: Organization, kind: str) -> Channel | None:
    rows = Channel.objects.filter(organization=owner, kind=kind, name=kind)
    return rows.select_related("organization").first()


def _new(owner: Organization, kind: str) -> Channel:
    """A channel called after its kind, or where that is taken with a number."""
    taken = set(Channel.objects.filter(organization=owner).values_list("name", flat=True))
    numbered = (f"{kind}-{number}" for number in range(2, len(taken) + 3))
    name = next(each for each in (kind, *numbered) if each not in taken)
    return Channel(organization=owner, kind=kind, name=name)


def _targets(channel: Channel) -> list[str]:
    try:
        return _parts(channel.kind, unseal(channel.target))
    except Unreadable:
        return []


def _parts(kind: str, target: str) -> list[str]:
    return target.split(",") if kind == Channel.Kind.EMAIL else [target]
