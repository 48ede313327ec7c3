"""A conversation, byte for byte."""

import json
from pathlib import Path

from tests.dialects.evok.house import TICK, House

TRANSCRIPT = Path(__file__).with_name("transcript.txt").read_text().splitlines()[1:]


def test_the_transcript() -> None:
    house = House()
    peer, heard = house.peer(), 0
    for line in TRANSCRIPT:
        mark, said = line[0], line[2:]
        name, _, number = said.partition(" ")
        if mark == ">":
            peer.says(said)
        elif mark == "=":
            house.post(name, json.loads(number))
        elif mark == "!":
            assert house.world.source[name].complete().elements.tolist() == [json.loads(number)]
        else:
            house.world.clock.advance(TICK)
            assert peer.transport.taken[heard].decode() == "T" + said
            heard += 1
    house.world.clock.advance(TICK)
    assert len(peer.transport.taken) == heard
