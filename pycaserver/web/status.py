"""Health, readiness and the status page: totals for everybody; names and addresses for administrators only."""

from html import escape
from http import HTTPStatus
from typing import Any

import msgspec

from pycaserver.web.handlers import Guarded
from pycaserver.web.site import Site


class Health(Guarded):
    """GET /healthz: the event loop answers."""

    open_to_all = True

    def get(self) -> None:
        """Always 200."""
        self.finish_json(b'{"status":"ok"}')

    head = get


class Ready(Guarded):
    """GET /readyz: the server listens and Channel Access is up; the PVs of the settings with their state."""

    open_to_all = True

    def get(self) -> None:
        """200, or 503 once the server is shutting down."""
        site = self.site
        names = () if site.identities.required and self.identity.means == "anonymous" else site.pv_names
        channels = {name: site.pool.get(name) for name in names}
        pvs = {name: channel.contact.state.value if channel else "closed" for name, channel in channels.items()}
        ready = not site.hub.closing
        body = msgspec.json.encode({"ready": ready, "pvs": pvs})
        self.finish_json(body, HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)

    head = get


class Status(Guarded):
    """GET /status: totals for people, or as JSON for those who accept it; an administrator also sees who and what."""

    def get(self) -> None:
        """HTML unless the Accept header names JSON, or the query says ?format=json."""
        totals = totals_of(self.site)
        names = names_of(self.site) if self.site.access.rules.is_administrator(self.identity) else {}
        accept = self.request.headers.get("Accept", "")
        if self.get_query_argument("format", "") == "json" or "application/json" in accept:
            self.finish_json(msgspec.json.encode(totals | names))
        else:
            tables = "".join(_table(title, rows) for title, rows in names.items())
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.set_header("Cache-Control", "no-store")
            self.finish(_PAGE.format(rows="\n".join(_rows(totals)), tables=tables))


def totals_of(site: Site) -> dict[str, Any]:
    """The figures by name; times in seconds."""
    figures, states = site.figures, site.pool.states()
    return {
        "version": site.version,
        "started": site.started,
        "uptime": site.clock.monotonic() - site.begun,
        "sessions": figures.sessions,
        "sessions_opened": figures.sessions_opened,
        "connections": figures.connections,
        "connections_dropped": figures.connections_dropped,
        "channels": {state: states[state] for state in ("connected", "searching", "disconnected")},
        "requests": figures.requests,
        "puts": figures.puts,
        "puts_turned_away": figures.puts_turned_away,
        "updates_in": figures.updates_in,
        "losses": figures.losses,
        "updates_out": figures.updates_out,
        "updates_merged": figures.updates_merged,
        "updates_merged_in": figures.updates_merged_in,
        "bytes_out": figures.bytes_out,
        "loop_lag": figures.loop_lag,
        "loop_lag_max": figures.loop_lag_max,
        "loop_stalls": figures.loop_stalls,
        "loop_work_max": figures.loop_work_max,
        "errors": dict(figures.errors),
        "closes": {str(code): number for code, number in figures.closes.items()},
        "audit_failures": figures.audit_failures,
        "log_lines_lost": figures.log_lines_lost,
        "history_bytes": figures.history_bytes,
        "history_failures": figures.history_failures,
        "faults": figures.faults,
    }


def names_of(site: Site) -> dict[str, list[dict[str, Any]]]:
    """The sessions now, eldest first, and the open channels by name; backlog in bytes."""
    sessions = [(peer.address, peer.session) for peer in site.hub if peer.session is not None]
    return {
        "peers": [
            {
                "address": address,
                "user": session.identity.user,
                "subscriptions": session.subscriptions,
                "backlog": session.outbox.backlog,
            }
            for address, session in sessions
        ],
        "pvs": [
            {"pvname": channel.name, "state": channel.contact.state.value, "subscribers": channel.subscribers}
            for channel in sorted(site.pool, key=lambda channel: channel.name)
        ],
    }


def _table(title: str, rows: list[dict[str, Any]]) -> str:
    """A table with the keys as its heads; nothing without rows."""
    if not rows:
        return ""
    head = "".join(f"<th scope=col>{escape(key)}" for key in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{escape(_shown(value))}" for value in row.values()) for row in rows)
    return f"<h2>{escape(title)}</h2>\n<table>\n<tr>{head}\n{body}\n</table>\n"


def _rows(totals: dict[str, Any]) -> list[str]:
    flat: dict[str, Any] = {}
    for name, value in totals.items():
        flat |= {f"{name}: {key}": item for key, item in value.items()} if isinstance(value, dict) else {name: value}
    return [f"<tr><th scope=row>{escape(name)}<td>{escape(_shown(value))}" for name, value in flat.items()]


def _shown(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>pycaserver status</title>
<link rel="icon" href="static/favicon.svg">
<link rel="stylesheet" href="static/css/status.css">
<h1>pycaserver</h1>
<table>
{rows}
</table>
{tables}<p><a href="status?format=json">as JSON</a>, <a href="metrics">for Prometheus</a>
"""
