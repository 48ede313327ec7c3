"""/pages/: the folder of the facility's own pages, served as ours are; the settings name it."""

import os
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import quote

from tornado.web import HTTPError

from pycaserver.core.errors import PycaError
from pycaserver.web import security
from pycaserver.web.handlers import GuardedStatic

INDEX: Final = "index.html"
LISTED: Final = 1000
"""Most entries of a list; a folder may have any number of files."""


class Pages(GuardedStatic):
    """GET /pages/...: files as they are now; a folder without index.html is a list of its pages and folders."""

    open_to_all = False

    def set_default_headers(self) -> None:
        """The operator's own files may have scripts and styles in them."""
        super().set_default_headers()
        self.set_header("Content-Security-Policy", security.PAGES_POLICY)

    def prepare(self) -> None:
        """As everywhere, but a browser that lacks an identity is shown the page to log in."""
        try:
            super().prepare()
        except PycaError as error:
            if error.code != "unauthenticated" or "text/html" not in self.request.headers.get("Accept", ""):
                raise
            self.redirect(f"{self._base}static/login.html")

    def parse_url_path(self, url_path: str | None) -> str:
        """The path below the folder; 404 if it is hidden, such as .git. The path is None without the slash."""
        path = super().parse_url_path(url_path or "")
        if any(part.startswith(".") for part in path.split("/")):
            raise HTTPError(404)
        return path

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """The file that is served, or None if this is the answer already: a list, or the address with its slash."""
        folder, slash = _folder(root, absolute_path), self.request.path.endswith("/")
        if folder is None and slash:
            raise HTTPError(404)
        if folder is None or (slash and (folder / INDEX).exists()):
            return super().validate_absolute_path(root, absolute_path)
        if slash:
            self._list(folder)
        else:
            self.redirect(self._with_slash())
        return None

    @property
    def _base(self) -> str:
        """From the requested address to the server's own: relative, as a proxy may put a prefix before both."""
        return "../" * (self.request.path.count("/") - 1)

    def _with_slash(self) -> str:
        """Relative too; with the query, which may be the macros of a page."""
        name = self.request.path.rpartition("/")[2]
        return f"./{name}/" + (f"?{self.request.query}" if self.request.query else "")

    def _list(self, folder: Path) -> None:
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        rows = "\n".join(f'<li><a href="{quote(name)}">{escape(name)}</a>' for name in entries(folder))
        self.finish(_LIST.format(base=self._base, rows=f"<ul>\n{rows}\n</ul>" if rows else "<p>There are none."))


def _folder(root: str, path: str) -> Path | None:
    """The folder at path, or None if there is none or it is not below root; neither may it lead there by a link."""
    resolved = Path(os.path.realpath(path))
    return resolved if os.path.isdir(resolved) and resolved.is_relative_to(os.path.realpath(root)) else None


def entries(folder: Path) -> list[str]:
    """Its pages and, with a slash, its folders, as relative addresses in order; LISTED at most."""
    with os.scandir(folder) as found:
        names = (_entry(item) for item in found if not item.name.startswith(".") and _is_text(item.name))
        return sorted(filter(None, names))[:LISTED]


def _entry(item: os.DirEntry[str]) -> str:
    """The name as an address; empty if it is neither page nor folder."""
    if os.path.isdir(item):
        return f"{item.name}/"
    return item.name if item.name.lower().endswith((".html", ".htm")) else ""


def _is_text(name: str) -> bool:
    """Whether an address can have this name: the bytes of a file's name need not be UTF-8."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


_LIST: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Pages</title>
<link rel="icon" href="{base}static/favicon.svg">
<link rel="stylesheet" href="{base}static/css/plain.css">
<h1>Pages</h1>
{rows}
<p><a href="{base}">All PVs</a>
"""
