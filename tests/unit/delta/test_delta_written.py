"""One delta in three forms: the same figures, and nothing that is lost in silence."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from test_delta_compare import app, delta
from test_delta_shapes import container, deployment, model, obj

from neuroscale.delta.compare import Delta
from neuroscale.delta.tables import money
from neuroscale.delta.written import Format, written
from neuroscale.prices import Thresholds
from neuroscale.sticky_comments import LONGEST, MARKER

BEFORE = {"apps/a": [app("gone", "x:1.0.0"), app("same")], "apps/m": [model({"containers": [container()]})]}
AFTER = {
    "apps/a": [app("same", replicas=3), app("new", "y:1.0.0", owner="platform-team")],
    "apps/m": [model({"containers": [container("250m")], "maxReplicas": 2})],
    "apps/c": [obj("PersistentVolumeClaim", {}, "v1", name="claim")],
}


def found(**more: Any) -> Delta:
    return replace(delta(BEFORE, AFTER), base="b" * 40, head="c" * 40, **more)


def rows(text: str) -> list[list[str]]:
    """The cells of every table in Markdown."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ]


def test_three_forms_say_the_same() -> None:
    text, markdown = (written(found(), form) for form in (Format.TEXT, Format.MARKDOWN))
    document = json.loads(written(found(), Format.JSON))
    for row in rows(markdown):
        assert any(all(cell in line for cell in row) for line in text.splitlines()), row
    exact = document["total"]["difference"]
    said = next(row for row in rows(markdown) if row[0] == "difference")
    ends = [money(Decimal(exact[bound]["monthly"]), signed=True) for bound in ("least", "most")]
    assert said[-1] == " to ".join(ends)
    assert said[1:3] == ["+2150m to +2425m", "+2Gi to +2112Mi"]


def test_a_change_in_text_is_whole() -> None:
    """3 × (1 CPU, 1 GiB) for one, and so on; the price of a core and a GiB is 730 × (0.03719 + 0.004673)."""
    text = written(found(), Format.TEXT)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == f"Resource and cost delta: {'b' * 40} to {'c' * 40}"
    assert "Deployment n/same apps/a changed ml-platform +2 +2Gi +2 +2Gi 1 → 3 +61.12" in lines
    assert "Deployment n/gone apps/a removed ml-platform -1 -1Gi -1 -1Gi 1 → – -30.56" in lines
    assert "Deployment n/new apps/a added platform-team +1 +1Gi +1 +1Gi – → 1 +30.56" in lines
    model_row = "InferenceService n/a apps/m changed ml-platform +150m to +425m 0 to +64Mi +150m to +400m 0 to +64Mi"
    assert f"{model_row} 1+ → 1–2 +4.07 to +11.75" in lines
    assert "platform-team +1 +1Gi +1 +1Gi +1 +30.56" in lines
    assert "before 2125m 2112Mi 2100m 2112Mi 3+ 64.73+" in lines
    assert "Deployment n/same asks for 2 more requests.cpu; the threshold is 2." in lines
    assert "Look at it before merging." in lines
    assert "Prices in USD: 0.03719 for a vCPU, 0.004673 for a GiB and hour; a month has 730 hours." in lines
    assert "Without a price: 2 in the tree, 2 of them new or changed." in lines
    assert "apps/c: PersistentVolumeClaim n/claim: storage of a size that nobody says" in lines


def test_columns_stand_below_each_other() -> None:
    lines = written(found(), Format.TEXT).splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("workload "))
    header, *rest = lines[start : start + 5]
    assert {line.index("apps/") for line in rest if line.strip()} == {header.index("folder")}
    assert {line[header.index("what") :].split()[0] for line in rest} == {"removed", "added", "changed"}


def test_what_is_pointed_out_has_a_sign() -> None:
    assert "> ⚠️ Deployment n/same asks for 2 more" in written(found(), Format.MARKDOWN)
    assert "⚠️" not in written(delta(BEFORE, BEFORE), Format.MARKDOWN)


def test_nothing_to_say_is_said() -> None:
    calm = delta(BEFORE, BEFORE)
    text = written(replace(calm, note="upstream differs"), Format.TEXT)
    assert "No workload asks for more or less than in the base." in text
    assert "Requests grow by less than the thresholds of 2 CPU and 4Gi." in text
    assert "Pods without an upper bound on their replicas: 1 sorts in the tree." in text
    assert "Note: upstream differs." in text
    assert "owner" not in text.splitlines()[2:4]
    assert "### By owner" not in written(calm, Format.MARKDOWN)


def test_a_change_that_is_rejected_says_so() -> None:
    strict = Thresholds(Decimal(2), Decimal(2**32), block=True)
    text = written(found(thresholds=strict), Format.TEXT)
    assert "This change is rejected for it." in text
    assert json.loads(written(found(thresholds=strict), Format.JSON))["blocks"] is True


def test_json_is_exact() -> None:
    document = json.loads(written(found(), Format.JSON))
    assert document["total"]["before"]["least"]["monthly"] == "64.726773125"
    one = next(row for row in document["workloads"] if row["name"] == "same")
    assert one["difference"]["least"] == {
        "limits.cpu": "2", "limits.memory": "2147483648", "monthly": "61.11998", "pods": "2", "requests.cpu": "2",
        "requests.memory": "2147483648",
    }  # fmt: skip
    assert (one["kind"], one["namespace"], one["folder"], one["what"]) == ("Deployment", "n", "apps/a", ["changed"])
    assert (one["owners"], one["costCenters"]) == (["ml-platform"], ["cc-ml"])
    assert [row["name"] for row in document["owners"]] == ["ml-platform", "platform-team"]
    assert [row["name"] for row in document["costCenters"]] == ["cc-ml"]
    assert document["prices"] == {"currency": "USD", "hourly": {"cpu": "0.03719", "memory": "0.004673"}}
    assert document["monthHours"] == "730"
    assert (document["base"], document["head"], document["note"]) == ("b" * 40, "c" * 40, "")
    reason = "storage of a size that nobody says"
    claim = {"folder": "apps/c", "object": "PersistentVolumeClaim n/claim", "reason": reason}
    assert document["withoutPrice"]["count"] == 2
    assert document["withoutPrice"]["changed"][0] == claim
    assert document["withoutPrice"]["changed"][1]["object"] == "InferenceService n/a", "queue-proxy asks for no memory"
    assert len(document["flags"]) == 2


@pytest.mark.parametrize(
    ("amount", "signed", "said"),
    [("0.005", True, "0.00"), ("0.015", True, "+0.02"), ("-0.004", True, "0.00"), ("-0.006", True, "-0.01"),
     ("12.345", False, "12.34"), ("1e30", False, f"1{'0' * 30}.00")],
)  # fmt: skip
def test_money_is_rounded_to_cents(amount: str, signed: bool, said: str) -> None:
    assert money(Decimal(amount), signed=signed) == said


# --- Markdown


def test_a_comment_is_found_again_by_its_first_line() -> None:
    first, second, *_ = written(found(), Format.MARKDOWN).splitlines()
    assert first == MARKER == "<!-- neuroscale-cost-proxy -->"
    assert second == f"<!-- head: {'c' * 40} -->"


def test_what_an_author_chose_is_no_markdown() -> None:
    wild = "apps/a|b`<img src=x>@all [x](y)\n# x"
    text = written(delta({}, {wild: [app(owner="*x*")]}), Format.MARKDOWN)
    line = next(line for line in text.splitlines() if "added" in line)
    assert line.count("|") == 11
    assert not set("`<>@[]*") & set(line)


def many(count: int) -> Delta:
    apps = [app(f"app-{index:05}", f"i{index}:1.0.0", owner=f"team-{index % 7}") for index in range(count)]
    return delta({}, {"apps/a": apps})


def test_what_does_not_fit_is_counted_and_totals_stay_whole() -> None:
    count = 2000
    text = written(many(count), Format.MARKDOWN)
    assert LONGEST - 500 < len(text.encode()) <= LONGEST
    assert ["difference", "+2000", "+2000Gi", "+2000", "+2000Gi", "+2000", "+61119.98"] in rows(text)
    assert [row[0] for row in rows(text) if row[0].startswith("team-")] == [f"team-{one}" for one in range(7)]
    shown = sum(row[0].startswith("Deployment") for row in rows(text))
    assert f"… and {count - shown} more workloads, for which there is no room here." in text
    assert 0 < shown < count


def test_what_fits_is_whole() -> None:
    text = written(many(50), Format.MARKDOWN)
    assert "more workloads" not in text
    assert sum(row[0].startswith("Deployment") for row in rows(text)) == 50


def test_no_length_is_too_long() -> None:
    """Teams as many as workloads, and each without a request: whatever the sum, it is within the limit."""
    apps = []
    for index in range(1500):
        one = deployment({"name": "c", "image": f"i{index}:1.0.0", "resources": {"requests": {"cpu": "1"}}})
        labels = {"owner": f"team-{index}", "cost-center": f"cost-{index}"}
        one["metadata"] |= {"name": f"app-{index}"}
        one["spec"]["template"]["metadata"]["labels"] = labels
        apps.append(one)
    for size in (1, 400, 700, 1000, 1500):
        text = written(delta({}, {"apps/a": apps[:size]}), Format.MARKDOWN)
        assert len(text.encode()) <= LONGEST
        assert any(row[0] == "difference" for row in rows(text))
