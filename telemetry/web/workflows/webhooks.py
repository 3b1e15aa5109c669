"""Outbound webhooks: endpoints, and the log of what was sent to each."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse

from telemetry.query.pages import newest_page
from telemetry.web.visit import Visit, screen
from workflows.webhooks.change import change_endpoint, make_endpoint, redeliver, remove_endpoint, send_test
from workflows.webhooks.models import EVENT_TYPES, WebhookDelivery, WebhookEndpoint
from workspaces.api.envelope import InvalidBody
from workspaces.errors import MashError
from workspaces.roles import Scope
from workspaces.scoping import only

PAGE_SIZE = 50


class EndpointForm(forms.Form):
    name = forms.CharField(max_length=100)
    url = forms.CharField(max_length=500, label="Address")
    event_types = forms.MultipleChoiceField(
        required=False,
        choices=[(name, name) for name in EVENT_TYPES],
        widget=forms.CheckboxSelectMultiple,
        label="Told of",
        help_text="None chosen: all of them.",
    )


@screen("workflows", Scope.AGENTS_READ, methods=("GET", "POST"))
def webhook_list(visit: Visit) -> HttpResponse:
    """A POST makes an endpoint, whose secret is shown once."""
    form = EndpointForm(visit.request.POST or None)
    made: WebhookEndpoint | None = None
    if visit.request.method == "POST":
        visit.principal.require(Scope.AGENTS_WRITE)
        if form.is_valid():
            try:
                made = make_endpoint(visit.workspace, form.cleaned_data, by=visit.principal.name)
                form = EndpointForm()
            except MashError as error:
                _tell(form, error)
    context = {
        "endpoints": visit.workspace.webhook_endpoints.all(),
        "form": form,
        "made": made,
        "may_change": visit.may(Scope.AGENTS_WRITE),
    }
    return visit.render("web/workflows/webhooks.html", context, status=422 if form.is_bound else 200)


@screen("workflows", Scope.AGENTS_READ, methods=("GET", "POST"))
def webhook_page(visit: Visit, webhook_id: int) -> HttpResponse:
    """`action=test|on|off|remove`, or `action=redeliver` with `message`."""
    rows = visit.workspace.webhook_endpoints.select_related("workspace")
    endpoint = only(rows.filter(pk=webhook_id))
    if endpoint is None:
        raise Http404
    if visit.request.method == "POST":
        visit.principal.require(Scope.AGENTS_WRITE)
        return _act(visit, endpoint, visit.request.POST.get("action", ""))
    state = visit.request.GET.get("state", "")
    deliveries = endpoint.deliveries.select_related("agent_request")
    if state in WebhookDelivery.State.values:
        deliveries = deliveries.filter(state=state)
    context = {
        "endpoint": endpoint,
        "page": newest_page(deliveries, visit.request.GET.get("cursor", ""), size=PAGE_SIZE),
        "states": WebhookDelivery.State.choices,
        "state": state,
        "may_change": visit.may(Scope.AGENTS_WRITE),
    }
    return visit.render("web/workflows/webhook.html", context)


def _act(visit: Visit, endpoint: WebhookEndpoint, action: str) -> HttpResponse:
    match action:
        case "test":
            send_test(endpoint)
            messages.success(visit.request, "A test is on its way.")
        case "redeliver":
            delivery = only(endpoint.deliveries.filter(message_id=visit.request.POST.get("message", "")))
            if delivery is None:
                raise Http404
            redeliver(delivery)
            messages.success(visit.request, "It is sent once more.")
        case "on" | "off":
            change_endpoint(endpoint, {"is_enabled": action == "on"}, by=visit.principal.name)
        case "remove":
            remove_endpoint(endpoint, by=visit.principal.name)
            return visit.go(visit.link("webhooks"))
        case _:
            raise Http404
    return visit.go(visit.link("webhook", endpoint.pk))


def _tell(form: EndpointForm, error: MashError) -> None:
    faults = error.details.get("errors", ()) if isinstance(error, InvalidBody) else ()
    for fault in faults:
        form.add_error(fault["loc"][-1], fault["msg"])
    if not faults:
        form.add_error(error.details.get("field"), error.message)
