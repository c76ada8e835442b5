"""What an endpoint says of files and batches: read where it is right, left out where it is not."""

from __future__ import annotations

from typing import Any

import pytest

from isocost.engines.openai.batchstates import created_before, read_id, read_input_file, read_metadata, read_page, read_state
from isocost.engines.openai.endpoint import Endpoint
from isocost.engines.openai.replies import BadReplyError

ENDPOINT = Endpoint(base_url="https://api.example.com/v1", model="tiny", key_variable="KEY", key="sk-secret-0123456789")
WRONG = [None, 1, True, [], {}, 1.5]


def batch(**changes: Any) -> dict[str, Any]:
    return {"id": "batch_1", "status": "in_progress", **changes}


def test_a_state_has_counts_files_and_errors() -> None:
    counts = {"total": 5, "completed": 3, "failed": 1}
    errors = {"object": "list", "data": [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached", "line": None}]}
    found = read_state(batch(status="FAILED", request_counts=counts, output_file_id="f1", error_file_id="f2", errors=errors), ENDPOINT)
    assert (found.id, found.status, found.total, found.completed, found.failed) == ("batch_1", "failed", 5, 3, 1)
    assert (found.output_file, found.error_file, found.codes) == ("f1", "f2", ("token_limit_exceeded",))
    assert "Enqueued token limit reached" in found.errors[0]
    assert found.is_final
    assert found.is_known
    assert found.exceeds_queue


@pytest.mark.parametrize("wrong", WRONG)
def test_fields_of_another_type_count_as_missing(wrong: object) -> None:
    found = read_state(batch(request_counts={"total": wrong, "completed": -1}, output_file_id=wrong, error_file_id=""), ENDPOINT)
    assert (found.total, found.completed, found.output_file, found.error_file) == (
        1 if wrong == 1 and wrong is not True else 0,
        0,
        None,
        None,
    )
    assert read_state(batch(request_counts=wrong), ENDPOINT).total == 0


@pytest.mark.parametrize("reply", [*WRONG, {"id": ""}, {"id": 3, "status": "completed"}, {"status": "completed"}])
def test_a_reply_without_an_id_is_refused(reply: object) -> None:
    with pytest.raises(BadReplyError):
        read_id(reply)
    with pytest.raises(BadReplyError):
        read_state(reply, ENDPOINT)


@pytest.mark.parametrize("status", [None, 3, {}])
def test_a_batch_without_a_status_is_refused(status: object) -> None:
    with pytest.raises(BadReplyError):
        read_state(batch(status=status), ENDPOINT)


def test_a_state_that_is_not_known_is_not_final() -> None:
    found = read_state(batch(status="Dreaming"), ENDPOINT)
    assert (found.status, found.is_known, found.is_final) == ("dreaming", False, False)


def test_words_of_the_endpoint_are_short_and_without_the_key() -> None:
    errors = [{"message": f"bad {ENDPOINT.key}\x1b[31m " + "x" * 1000}] * 50
    found = read_state(batch(status="failed" * 100, errors={"data": errors}), ENDPOINT)
    assert len(found.errors) == 3
    assert all(len(each) <= 200 and "sk-secret" not in each and "\x1b" not in each for each in found.errors)
    assert len(found.status) <= 40


@pytest.mark.parametrize("errors", ["it is so", [{"message": "it is so"}], {"data": [{"message": "it is so"}]}, {"message": "it is so"}])
def test_errors_are_read_in_every_shape(errors: object) -> None:
    assert "it is so" in read_state(batch(status="failed", errors=errors), ENDPOINT).errors[0]


def test_a_page_names_the_next_one_only_where_there_is_one() -> None:
    data = [batch(), "no batch", batch(id="batch_2")]
    page = read_page({"data": data, "has_more": True, "last_id": "batch_9"})
    assert (page.entries, page.last, page.is_last) == ([data[0], {}, data[2]], "batch_9", False)
    assert read_page({"data": data, "has_more": True}).last == "batch_2"
    assert read_page({"data": data, "has_more": False, "last_id": "batch_2"}).is_last
    assert not read_page({"data": data, "last_id": "batch_2"}).is_last


@pytest.mark.parametrize("reply", [*WRONG, {"data": None}, {"data": {}}])
def test_a_reply_that_is_no_listing_is_refused(reply: object) -> None:
    with pytest.raises(BadReplyError):
        read_page(reply)


def test_metadata_and_input_file_are_texts_or_nothing() -> None:
    assert read_metadata({"metadata": {"a": "b", "c": 1}}) == {"a": "b"}
    assert read_metadata({"metadata": None}) == read_metadata({"metadata": ["a"]}) == read_metadata({}) == {}
    assert read_input_file({"input_file_id": "file-1"}) == "file-1"
    assert read_input_file({"input_file_id": 1}) is read_input_file({}) is None


@pytest.mark.parametrize(
    ("created", "before"), [(99, True), (99.5, True), (100, False), (101, False), ("99", False), (None, False), (True, False)]
)
def test_a_batch_is_earlier_only_by_a_time_that_can_be_read(created: object, before: bool) -> None:
    assert created_before({"created_at": created}, 100.0) is before
