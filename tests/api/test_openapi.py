"""The API against its own description: no input makes it fail, and answers are what it says."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.api.test_service import AUTHORISED, make

EXAMPLES = 10  # for each operation: odd texts and numbers in every parameter


def test_no_request_that_its_description_allows_makes_the_api_fail(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    with ExitStack() as stack:
        place = make(stack, store_url, monkeypatch)
        described = place.client.get("/api/openapi.json").json()
        schema = schemathesis.openapi.from_dict(described)
        base = str(place.client.base_url).rstrip("/")

        def run(operation: schemathesis.APIOperation) -> None:
            @given(case=operation.as_strategy())
            @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
                      phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
            def no_failure(case: schemathesis.Case) -> None:
                answer = case.call(base_url=base, headers=AUTHORISED)
                case.validate_response(answer, checks=(not_a_server_error, response_schema_conformance))

            no_failure()
            tried.append(operation.label)

        for result in schema.get_all_operations():
            operation = result.ok()
            if operation.path.startswith("/api/"):
                run(operation)

    assert len(tried) >= 10, tried
