"""No two things of one session have the same name, nor of all sessions of a cluster that lives for months."""

from __future__ import annotations

import re

from neuroscale.fresh_names import fresh_name


def test_thousands_of_names_are_all_different_and_dns_labels() -> None:
    names = {fresh_name("golden") for _ in range(3000)}
    assert len(names) == 3000
    assert all(re.fullmatch(r"golden-[0-9a-f]{10}", name) for name in names)


def test_a_stem_may_have_as_many_characters_as_are_promised() -> None:
    assert len(fresh_name("a" * 52)) == 63
