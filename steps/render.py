"""What the gate makes of folders, and what the live Argo CD makes of them."""

from __future__ import annotations

from pytest_bdd import then, when

from neuroscale.gate import live_render
from neuroscale.gate.live_render import Comparison
from neuroscale.gate.tools import Tools
from neuroscale.platform import Platform
from neuroscale.results import Recorder


@when("the gate and Argo CD render the latest commit of main", target_fixture="comparison")
def both_render_main(tools: Tools, platform: Platform, recorder: Recorder) -> Comparison:
    return live_render.render_main(tools.renderer, platform, recorder)


@when("the gate and Argo CD render the corpus", target_fixture="comparison")
def both_render_the_corpus(tools: Tools, platform: Platform, recorder: Recorder) -> Comparison:
    return live_render.render_corpus(tools.renderer, platform, recorder)


@then("they know the same Applications")
def they_know_the_same(comparison: Comparison) -> None:
    live_render.assert_same_sources(comparison)


@then("what both make of each Application is equal")
@then("what both make of each manifest is equal")
def what_both_make_is_equal(comparison: Comparison) -> None:
    live_render.assert_equal(comparison)


@then("Argo CD rejects what does not render in the gate")
def argo_cd_rejects_it(comparison: Comparison) -> None:
    live_render.assert_both_reject(comparison)
