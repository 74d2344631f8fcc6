# Facts about garbage written to a token: the short form of `emask bench attack garbage`, and what its judge sees.
import json

import pytest

from tests.bench.scenes import emask, spoilt
from tools.bench.attack import garbage


def test_token_holds_against_garbage():
    done = emask("bench", "attack", "garbage", "--frames", 400, "--seed", 5, "--json")
    facts = json.loads(done.stdout)
    assert done.exit_code == 0 and facts["faults"] == []
    assert facts["frames"] >= 400 and set(facts["by"]) >= {
        "messages",
        "mutated frames",
        "forged lists",
        "garbled visits",
    }
    assert facts["heap_last_bytes"] > 0


@pytest.mark.parametrize(
    ("source", "before", "after", "fault"),
    [
        ("firmware/visit.py", "except (RadioError, frames.FrameError)", "except RadioError", "crash"),
        ("firmware/lists.py", "self._proven()", "self._parsed(self._end - manifest.MANIFEST_AT)", "changed: LIST"),
    ],
)
def test_judge_finds_out_a_token_that_does_not_hold(tmp_path, source, before, after, fault):
    found = garbage.run(spoilt(tmp_path, source, before, after), 600, 5, lambda done: None)
    assert any(fault in text for text in found.faults), found.text()
