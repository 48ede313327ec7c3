"""web/packets.py: JSON as the library decodes it; its packets are in test_socketio.py."""

import pytest

from pycaserver.core.requests import MEBIBYTE
from pycaserver.web.packets import Json


def test_json_that_would_take_long_is_not_decoded() -> None:
    with pytest.raises(ValueError, match="too many"):
        Json.loads("[" + "1," * MEBIBYTE + "1]")
