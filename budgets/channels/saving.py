"""Setting up channels: the one place that changes them."""

import logging
from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db import transaction

from budgets.channels.sealing import new_secret, seal, unseal
from budgets.channels.ways import way_of
from budgets.models import Alert, Channel
from budgets.selectors.channels import budgets_naming, nameable_channels
from budgets.setting import Actor
from usage.models import Organization

_LOG = logging.getLogger(__name__)
_STAYS = ("name", "organization_id", "kind")


def save_channel(channel: Channel, target: str | None, actor: Actor) -> Channel:
    """Make or change a channel. `target` is where it sends to (addresses or a URL), readable.

    None leaves the target of a channel that has one. A new webhook gets a secret, which
    `signing_secret` tells. Raises ValidationError, by field.
    """
    faults: dict[str, list[str]] = {}
    if channel.pk:
        before = Channel.objects.get(pk=channel.pk)
        faults |= {
            name.removesuffix("_id"): ["It cannot be changed."]
            for name in _STAYS
            if getattr(before, name) != getattr(channel, name)
        }
        if before.enabled != channel.enabled:
            _forget_failing(channel)
    if not set(channel.kinds) <= set(Alert.Kind.values):
        faults["kinds"] = [f"Alerts are of these kinds: {', '.join(Alert.Kind.values)}."]
    if not target and not channel.target:
        faults["target"] = ["This field is required."]
    elif target and "kind" not in faults:
        faults |= _take_target(channel, target)
    if channel.kind == Channel.Kind.WEBHOOK and not channel.secret:
        channel.secret = seal(new_secret())
    _validate(channel, faults)
    channel.save()
    _LOG.info("Channel %s was saved by %s", channel.pk, actor)
    return channel


def signing_secret(channel: Channel) -> str:
    """What messages of a webhook are signed with, readable: to be shown once.

    "" for other kinds; raises sealing.Unreadable where the secret key has changed.
    """
    return unseal(channel.secret).split()[0] if channel.secret else ""


def rotate_secret(channel: Channel, actor: Actor) -> str:
    """Sign with a new secret, which is returned readable, and until the next time with the
    present one as well. Raises ValidationError where the channel is no webhook."""
    if channel.kind != Channel.Kind.WEBHOOK:
        raise ValidationError("Only webhooks are signed.")
    with transaction.atomic():
        row = Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
        secret = new_secret()
        row.secret = channel.secret = seal(f"{secret} {signing_secret(row)}")
        row.save(update_fields=["secret", "updated_at"])
    _LOG.info("The secret of channel %s was replaced by %s", channel.pk, actor)
    return secret


def remove_channel(channel: Channel, actor: Actor) -> None:
    """Delete a channel and what it was told. ValidationError where budgets name it."""
    named = [str(budget) for budget in budgets_naming(channel)[:5]]
    if named:
        raise ValidationError(f"Budgets send to it: {', '.join(named)}.")
    key = channel.pk
    channel.delete()
    _LOG.info("Channel %s was deleted by %s", key, actor)


def channels_named(organization: Organization | None, names: Collection[str]) -> list[Channel]:
    """The channels that budgets of an organization (None: of all) mean by these names, in order.

    Its own come before those of the site. Raises ValidationError naming those that are unknown.
    """
    known = {channel.name: channel for channel in nameable_channels(organization)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValidationError({"channels": [f"There is no channel {name!r}." for name in unknown]})
    return [known[name] for name in dict.fromkeys(names)]


def _take_target(channel: Channel, target: str) -> dict[str, list[str]]:
    try:
        checked = way_of(channel.kind).check(target.strip())
    except ValidationError as fault:
        return {"target": fault.messages}
    except ValueError:
        return {"kind": ["There is no such kind of channel."]}
    channel.target = seal(checked)
    _forget_failing(channel)
    return {}


def _forget_failing(channel: Channel) -> None:
    channel.failing_since, channel.fault = None, ""


def _validate(channel: Channel, faults: dict[str, list[str]]) -> None:
    try:
        channel.full_clean()
    except ValidationError as fault:
        faults |= fault.message_dict
    if faults:
        raise ValidationError(faults)
