"""Tests of one group run on one worker, one after the other: the distributor has to see the group."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("told")
def test_the_distributor_sees_groups(request: pytest.FixtureRequest) -> None:
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("tests are not distributed by group")
    assert request.node.nodeid.endswith("@told")
