"""Merge patches as judgements, against RFC 7396 as the API server of the fast tier applies it."""

from __future__ import annotations

from typing import Any

import pytest
from apiserver import merge
from hypothesis import given
from hypothesis import strategies as st

from neuroscale.kubernetes.merge_patch import contains, flat, inverse

keys = st.sampled_from(["spec", "replicas", "metadata", "labels", "app", "env"])
scalars = st.one_of(st.booleans(), st.integers(-3, 3), st.sampled_from(["", "a", "b"]))
#: What an object holds; the API server stores no nulls.
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=3))
objects = st.dictionaries(keys, values, max_size=4)
patches = st.dictionaries(
    keys,
    st.recursive(
        st.none() | scalars | st.lists(values, max_size=2), lambda inner: st.dictionaries(keys, inner, max_size=3)
    ),
    min_size=1,
    max_size=3,
)

plain = st.recursive(st.none() | scalars, lambda inner: st.dictionaries(keys, inner, max_size=3))


def heeded(patch: dict[str, Any], obj: Any) -> dict[str, Any]:
    """A patch without what it takes away from maps that are not there: the API server stores no empty one for that."""
    there = obj if isinstance(obj, dict) else {}
    left = {
        key: heeded(value, there.get(key))
        if isinstance(value, dict) and isinstance(there.get(key, {}), dict)
        else value
        for key, value in patch.items()
    }
    return {
        key: value
        for key, value in left.items()
        if not (key not in there and isinstance(value, dict) and not value and patch[key])
        and not (value is None and key not in there)
    }


def touched(obj: Any, patch: dict[str, Any]) -> dict[str, Any]:
    """What an object holds at the keys that a patch names; where the patch names none below, all of it."""
    if not isinstance(obj, dict):
        return {}
    return {
        key: touched(obj[key], value) if isinstance(value, dict) and isinstance(obj[key], dict) else obj[key]
        for key, value in patch.items()
        if key in obj
    }


@given(obj=objects, patch=patches)
def test_a_patch_is_contained_once_it_was_applied(obj: dict[str, Any], patch: dict[str, Any]) -> None:
    assert contains(merge(obj, patch), patch)


@given(obj=objects, patch=st.dictionaries(keys, plain, max_size=3))
def test_contained_means_that_applying_changes_nothing(obj: dict[str, Any], patch: dict[str, Any]) -> None:
    """Lists apart: inside them the API server's defaults are allowed for."""
    assert contains(obj, patch) == (merge(obj, heeded(patch, obj)) == obj)


@given(before=objects, patch=patches)
def test_the_inverse_gives_back_what_was_touched(before: dict[str, Any], patch: dict[str, Any]) -> None:
    broken = merge(before, patch)
    assert touched(merge(broken, inverse(patch, before)), patch) == touched(before, patch)


@given(before=objects, patch=patches, other=st.sampled_from(["added", "later"]), value=values)
def test_the_inverse_leaves_alone_what_others_changed_meanwhile(
    before: dict[str, Any], patch: dict[str, Any], other: str, value: Any
) -> None:
    broken = {**merge(before, patch), other: value}
    assert merge(broken, inverse(patch, before))[other] == value


@given(before=objects, patch=patches)
def test_a_revert_is_idempotent(before: dict[str, Any], patch: dict[str, Any]) -> None:
    back = inverse(patch, before)
    once = merge(merge(before, patch), back)
    assert merge(once, back) == once
    assert contains(once, back)


@pytest.mark.parametrize(
    ("obj", "patch", "expected"),
    [
        ({"spec": {"replicas": 1}}, {"spec": {"replicas": 1}}, True),
        ({"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, False),
        ({"spec": {}}, {"spec": {"replicas": None}}, True),
        ({"spec": {"replicas": 1}}, {"spec": {"replicas": None}}, False),
        ({}, {"spec": {"replicas": None}}, True),
        ({"kind": "Secret"}, {"data": {"TOKEN": None}}, True),
        ({}, {"spec": {"replicas": {}}}, False),
        ({}, {"spec": {}}, False),
        ({"l": [{"a": 1, "default": 2}]}, {"l": [{"a": 1}]}, True),
        ({"l": [{"a": 1}, {"b": 1}]}, {"l": [{"a": 1}]}, False),
        ({"l": []}, {"l": [{"a": 1}]}, False),
        ({"l": [2, 1]}, {"l": [1, 2]}, False),
        ({"a": "text"}, {"a": {"b": 1}}, False),
    ],
)
def test_examples(obj: dict[str, Any], patch: dict[str, Any], *, expected: bool) -> None:
    assert contains(obj, patch) is expected


def test_a_patch_in_words() -> None:
    patch = {"spec": {"replicas": 3, "template": {"spec": {"containers": [{"name": "nginx"}]}}}, "data": {}}
    assert ", ".join(flat(patch)) == "spec.replicas=3, spec.template.spec.containers=[…], data={}"
