"""The whole API of the authority against its own OpenAPI description, by schemathesis, in each role and without one."""

import hypothesis
import pytest
import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tools.authority import core, staff, store
from tools.authority.web.app import Settings, make_app

NOW_S = 1_700_000_000
PASSWORD = "correct horse battery"
# Of data that fit the schema some are refused all the same: what is sealed, no schema can say.
EXAMPLES = 8  # for each operation


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """(application, token by role)."""
    folder = tmp_path_factory.mktemp("schema") / "authority"
    core.init(folder, NOW_S)
    tokens = {"nobody": "x"}
    for role in staff.ROLES:
        staff.add(folder, role, role, PASSWORD, NOW_S, int(role == staff.CLINIC))
        tokens[role] = staff.log_in(folder, role, PASSWORD, NOW_S)
    yield make_app(Settings(folder, clock=lambda: NOW_S)), tokens
    store.close(folder)


def test_answers_are_as_described_for_each_role(service):
    app, tokens = service
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 9
    for operation in operations:

        @hypothesis.settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
        @hypothesis.given(case=operation.as_strategy())
        def check(case):
            for token in tokens.values():
                headers = {"Authorization": f"Bearer {token}"}
                case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

        check()
