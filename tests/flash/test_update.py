"""Facts about the update by cable: a token in use, on the VM behind a pty, gets a newer product."""

import subprocess
import sys
from pathlib import Path

from tests.flash import rig
from tools import ROOT
from tools.firmware import bundle, image


def test_update_by_cable_keeps_keys_and_settings(made, tmp_path, desk, monkeypatch):
    port = desk.put(1)
    unit, _kept = rig.station(made, tmp_path, [port])
    assert rig.settle(unit, [port])[0].phase == "done", unit.state()
    before = {name: desk.partition(1, name) for name in ("sightings", "lists", "config")}
    monkeypatch.setattr(bundle, "firmware_version", lambda root=ROOT: 9)
    newer = tmp_path / "newer"
    bundle.make("esp32c3", newer, rig.KEY)
    again, _ = rig.station(newer, tmp_path, [port], update=True)
    assert rig.settle(again, [port])[0].phase == "done", again.state()
    assert {name: desk.partition(1, name) for name in before} == before
    slots = [image.parse_head(desk.partition(1, name)) for name in ("slot_a", "slot_b")]
    assert sorted(slots) == [bundle.load(made).version, 9]
    stranger = tmp_path / "stranger"
    bundle.make("esp32c3", stranger, bytes(32))
    refused, _ = rig.station(stranger, tmp_path, [port], update=True)
    place = rig.settle(refused, [port])[0]
    assert place.code == "refused_image" and "signature does not fit" in place.words, place
    assert [image.parse_head(desk.partition(1, name)) for name in ("slot_a", "slot_b")] == slots


def test_mpremote_by_hand_reaches_the_base_through_a_soft_reset(desk):
    """As a developer would: mpremote's own command, which resets softly first; a flash without anything on it."""
    port = str(Path(desk.put(2)).resolve())
    asked = "import slots, sys; print(slots.header(bytes(128)), sys.path[0])"
    for _ in range(2):
        command = [sys.executable, "-m", "mpremote", "connect", port, "exec", asked]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout.strip()) == (0, "None .frozen"), done.stdout + done.stderr
