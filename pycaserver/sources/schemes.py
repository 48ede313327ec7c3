"""SchemeSource: gives each name to the source that its scheme names; sim://, loc://, stat://, and all else is CA."""

from collections.abc import Mapping

from pycaserver.core.channel import Channel
from pycaserver.core.errors import PycaError
from pycaserver.core.names import split_scheme
from pycaserver.core.source import Source, SourceChannel


class SchemeSource:
    """All sources behind one."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        """Scheme to source."""
        self._sources = sources

    def open(self, name: str, channel: Channel) -> SourceChannel:
        """Have the source open what follows the scheme; ca://X and X are X. PycaError(invalid_pv_name)."""
        scheme, rest = split_scheme(name)
        source = self._sources.get(scheme)
        if source is None:
            raise PycaError("invalid_pv_name", f"This server has no source for {scheme}://.")
        return source.open(rest, channel)
