"""The signed part of a hook's address."""

from django.core.signing import BadSignature, Signer

from workflows.hooks.models import InboundHook

_SALT = "mash.inbound-hook"


def signed_part(hook: InboundHook) -> str:
    return _signer().sign(f"{hook.pk}.{hook.generation}")


def hook_of(signed: str) -> InboundHook | None:
    """The hook that the address stands for; None for one that is forged, void, switched off or gone."""
    try:
        key, _, generation = _signer().unsign(signed).partition(".")
    except BadSignature:
        return None
    rows = InboundHook.rows.select_related("workspace", "workflow")
    return rows.filter(pk=key, generation=generation, is_enabled=True).first()


def _signer() -> Signer:
    return Signer(salt=_SALT, sep="~")
