"""The official KServe client, as its users use it."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from neuroscale.chaos.breakage import Breakage
from neuroscale.inference_client import Protocol
from neuroscale.kserve_client import SdkAnswer
from neuroscale.platform import Platform
from neuroscale.serving import kserve_sdk
from neuroscale.serving.kserve_sdk import SdkModel


@when(
    parsers.parse("a data scientist asks for {rows} with the KServe client {count:d} times by protocol {protocol}"),
    target_fixture="sdk_answer",
)
def a_data_scientist_asks(rows: str, count: int, protocol: Protocol, platform: Platform) -> SdkAnswer:
    return kserve_sdk.ask_for(rows, protocol, count, platform)


@then(parsers.parse("the client gets exactly the trained predictions for {rows}, all {count:d} times"))
def the_client_gets_the_predictions(rows: str, count: int, sdk_answer: SdkAnswer, platform: Platform) -> None:
    kserve_sdk.assert_predictions(sdk_answer, rows, platform, count)


@when("a data scientist creates a model with the KServe client and waits for it", target_fixture="sdk_model")
def a_data_scientist_creates_a_model(breakage: Breakage) -> SdkModel:
    return kserve_sdk.create_model(breakage)


@then("the client sees it become Ready, and it answers")
def the_client_sees_it_ready(sdk_model: SdkModel, platform: Platform) -> None:
    kserve_sdk.assert_ready_and_answering(sdk_model, platform)


@when("the data scientist deletes the model with the KServe client", target_fixture="sdk_deleted")
def the_data_scientist_deletes_the_model(sdk_model: SdkModel, platform: Platform) -> SdkAnswer:
    return kserve_sdk.delete_model(sdk_model, platform)


@then("the model is gone from the cluster")
def the_model_is_gone(sdk_model: SdkModel, sdk_deleted: SdkAnswer, platform: Platform) -> None:
    kserve_sdk.assert_deleted(sdk_model, sdk_deleted, platform)
