"""What the workspace pays for models, where the public price list does not know or is not right."""

from functools import partial

from django.http import HttpResponse
from django.utils import timezone

from runtime.models import PriceOverride
from runtime.usage.own_prices import remove_price, save_price, unpriced_models
from telemetry.web.settings.forms import PriceForm
from telemetry.web.settings.tabs import Question, ask, change, row, show
from telemetry.web.visit import Visit, screen
from workspaces.roles import Scope

_MOST_SHOWN = 500


@screen("settings", Scope.USAGE_READ)
def list_prices(visit: Visit) -> HttpResponse:
    """The prices, after the models that wait for one."""
    context = {
        "prices": visit.workspace.price_overrides.all()[:_MOST_SHOWN],
        "unpriced": unpriced_models(visit.workspace),
        "may_change": visit.may(Scope.MEMBERS_WRITE),
        "now": timezone.now(),
    }
    return show(visit, "prices", context)


@screen("settings", Scope.MEMBERS_WRITE, methods=("GET", "POST"))
def new_price(visit: Visit) -> HttpResponse:
    """For the model that the link names, or any."""
    price, chosen = PriceOverride(workspace=visit.workspace), visit.request.GET.dict()
    initial = {"provider": chosen.get("provider"), "model_pattern": chosen.get("model"), "valid_from": timezone.now()}
    form = PriceForm(visit.request.POST or None, instance=price, initial=initial)
    if not form.is_valid():
        return show(visit, "prices", {"form": form}, page="price")
    verb = partial(save_price, price, changed=form.changed_data, actor=visit.principal.name)
    return change(visit, visit.link("settings-prices"), f"{price.model_pattern} has a price now.", verb)


@screen("settings", Scope.MEMBERS_WRITE, methods=("GET", "POST"))
def remove_own_price(visit: Visit, pk: int) -> HttpResponse:
    price, back = row(visit.workspace.price_overrides.select_related("workspace"), pk), visit.link("settings-prices")
    if visit.request.method == "POST":
        verb = partial(remove_price, price, actor=visit.principal.name)
        return change(visit, back, f"The price of {price.model_pattern} is removed.", verb)
    question = Question(
        title=f"Remove the price of {price}?",
        text="Calls to come cost what an older price or the public list says. What was counted stays.",
        verb="Remove it",
        back=back,
    )
    return ask(visit, "prices", question)
