"""Who gets mail about transitions, from whom, and by way of which server."""

from __future__ import annotations

from evener.keepalived.blocks.global_defs import GlobalDefs
from evener.keepalived.vrrp.plan import Mail

DEFAULT_PORT, DEFAULT_TIMEOUT_S = 25, 30


def mail_of(settings: GlobalDefs) -> Mail | None:
    """None without recipients or without a server: then nothing is sent, as in the original."""
    recipients = tuple(line[0] for line in settings.notification_email)
    if not recipients or not settings.smtp_server:
        return None
    host, *port = settings.smtp_server
    return Mail(
        host=host,
        port=int(port[0]) if port else DEFAULT_PORT,
        sender=settings.notification_email_from or "",
        recipients=recipients,
        helo=settings.smtp_helo_name or "",
        timeout_s=settings.smtp_connect_timeout or DEFAULT_TIMEOUT_S,
    )
