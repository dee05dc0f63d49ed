"""What the engine has against objects, told of the right ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from stages import definition

from neuroscale.errors import Inconclusive
from neuroscale.gate import api_validation
from neuroscale.gate.engine import Engine
from neuroscale.gate.findings import Tree
from neuroscale.kubernetes.refs import Object

DEFINITION, OTHER = (definition("example.com", "v1", kind, {"type": "object"}) for kind in ("Thing", "Other"))


class Told(Engine):
    """Answers as it is told, and remembers the request."""

    def __init__(self, answer: Any) -> None:
        super().__init__(Path("/nonexistent/gate-engine"))
        object.__setattr__(self, "answer", answer)
        object.__setattr__(self, "asked", [])

    def ask(self, what: Literal["render", "validate", "judge"], request: Mapping[str, Any]) -> Any:
        assert what == "validate"
        self.asked.append(request)  # type: ignore[attr-defined]
        return self.answer  # type: ignore[attr-defined]


def thing(name: str, kind: str = "Thing") -> Object:
    return {"apiVersion": "example.com/v1", "kind": kind, "metadata": {"name": name}}


def test_each_complaint_is_about_its_object_and_definitions_are_none() -> None:
    engine = Told({"results": [{"object": 1, "messages": ["spec: bad", "spec: worse", "c", "d"]}]})
    tree = Tree(places={"a": [DEFINITION, thing("good")], "b": [OTHER, thing("bad")]})
    fitting, found = api_validation.fit(engine, tree)
    assert fitting.places == {"a": [DEFINITION, thing("good")], "b": [OTHER]}
    assert [(one.stage, one.rule, one.where, one.description) for one in found] == [
        ("schema", "invalid", "b: Thing bad", said) for said in ("spec: bad", "spec: worse", "c")
    ]
    (request,) = engine.asked  # type: ignore[attr-defined]
    assert request["objects"] == [thing("good"), thing("bad")]
    assert request["definitions"] == [DEFINITION]
    assert request["kubeVersion"] == "1.31"


def test_a_long_value_is_not_repeated_whole() -> None:
    engine = Told({"results": [{"object": 0, "messages": ["x" * 10_000]}]})
    ((said,),) = api_validation.complaints(engine, [thing("one")], [])
    assert len(said) == 300


def test_where_nothing_is_to_be_validated_the_engine_is_not_asked() -> None:
    engine = Told({})
    assert api_validation.complaints(engine, [DEFINITION], [DEFINITION]) == [[]]
    assert engine.asked == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        [],
        {"results": None},
        {"results": [{"object": 7, "messages": ["a"]}]},
        {"results": [{"object": -1, "messages": ["a"]}]},
        {"results": [{"object": 0, "messages": []}]},
        {"results": [{}]},
    ],
)
def test_an_answer_about_something_else_is_none(answer: Any) -> None:
    with pytest.raises(Inconclusive, match="should validate 1 objects, but answers"):
        api_validation.complaints(Told(answer), [thing("one")], [])
