"""Mail to people, where the operator has named a server for it."""

import logging
import smtplib
from collections.abc import Mapping

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)


def is_set_up() -> bool:
    return bool(settings.MASH_EMAIL_HOST)


def send(subject: str, template: str, context: Mapping[str, object], *, to: str) -> bool:
    """Whether the server took it; why not stands in the log."""
    try:
        return bool(send_mail(subject, render_to_string(template, dict(context)), None, [to]))
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("a mail could not be sent: %s", error)
        return False
