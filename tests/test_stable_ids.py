"""Ids with and without versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.stable_ids import match_ids, without_version


@pytest.mark.parametrize(
    ("ids", "known", "expected"),
    [
        (["ENSP1.3"], ["ENSP1"], {"ENSP1.3": "ENSP1"}),
        (["ENSP1"], ["ENSP1.3"], {"ENSP1": "ENSP1.3"}),
        (["ENSP1.3"], ["ENSP1.2"], {"ENSP1.3": "ENSP1.2"}),
        (["ENSP1.3"], ["ENSP1.3", "ENSP1"], {"ENSP1.3": "ENSP1.3"}),
        # one without a known symbol is not its neighbour, which is known as it is
        (["m.1", "m.2"], ["m.1"], {"m.1": "m.1"}),
        (["m.3"], ["m.1", "m.2"], {}),
        (["g1.t1"], ["g1.t2", "g1"], {}),
        ([".1"], [""], {}),
    ],
)
def test_a_version_is_taken_off_where_the_id_is_not_known(
    ids: list[str], known: list[str], expected: dict[str, str]
) -> None:
    assert match_ids(ids, known) == expected


names = st.sets(st.text("a.12", max_size=6), max_size=8)


@given(names, names)
def test_matches_are_the_same_but_for_a_version(ids: set[str], known: set[str]) -> None:
    for stable_id, name in match_ids(ids, known).items():
        assert name in known
        assert stable_id not in known or stable_id == name
        stems = {stable_id, without_version(stable_id)} & {name, without_version(name)}
        assert stems - {None}
