"""Facts about the update by cable: a token in use, on the VM behind a pty, gets a newer product."""

from tests.flash import rig
from tools import ROOT
from tools.firmware import bundle, image


def test_update_by_cable_keeps_keys_and_settings(made, tmp_path, desk, monkeypatch):
    port = desk.put(1)
    unit, _kept = rig.station(made, tmp_path, [port])
    rig.settle(unit, [port])
    before = {name: desk.partition(1, name) for name in ("sightings", "lists", "config")}
    monkeypatch.setattr(bundle, "firmware_version", lambda root=ROOT: 9)
    newer = tmp_path / "newer"
    bundle.make("esp32c3", newer, rig.KEY)
    again, _ = rig.station(newer, tmp_path, [port], update=True)
    assert rig.settle(again, [port])[0].phase == "done", again.state()
    assert {name: desk.partition(1, name) for name in before} == before
    slots = [image.parse_head(desk.partition(1, name)) for name in ("slot_a", "slot_b")]
    assert sorted(slots) == [bundle.load(made).version, 9]
