"""Facts about a swap at a kiosk: the four visits, whose turn it is, what goes wrong; then its screens in a browser."""

import asyncio
import json

import pytest

from emask import spec
from tests.kiosk.browser import chromium, on, tap
from tests.kiosk.hall_rig import Hall
from tests.tools.fake_swap import TEXTS, SwapToken
from tests.tools.fake_token import FakeClient
from tests.tools.world import NOW_S, World
from tools import signing
from tools.authority import core
from tools.kiosk import swap
from tools.kiosk.channel import VisitError
from tools.kiosk.hall import faults
from tools.kiosk.hall.flow import Flow
from tools.kiosk.session import visit
from tools.kiosk.wish import Wish

__all__ = ["chromium"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    own = World(tmp_path_factory.mktemp("world"))
    own.clinic = own.new_kiosk("clinic", proxy=True)
    own.clinic.add_list(own.written("new.eml", own.list_file([bytes(40)], issued_s=NOW_S - 60)))
    return own


def step(world, token, carried, folder=None, **hooks):
    """One visit."""
    token.connected()
    wish = Wish(swap=carried)
    return asyncio.run(visit(FakeClient(token), lambda: NOW_S, folder or world.clinic, wish=wish, **hooks))


def pair(world, **how):
    return SwapToken(world.root, TEXTS, **how), SwapToken(world.root)


def until(world, stage, old, new, carried):
    """The visits before that stage."""
    while carried.stage != stage:
        token = old if carried.stage in (swap.OLD, swap.END) else new
        assert step(world, token, carried).upload == "moved"


def test_all_moves_in_four_visits_and_the_old_token_is_wiped(world):
    old, new = pair(world)
    before, carried, told = list(old.texts), swap.Swap(), []
    until(world, swap.FILL, old, new, carried)
    assert len(carried.pages) == len(before) and old.texts == before
    assert not any(text in page for page in carried.pages for text in before)
    result = step(world, new, carried, progress=lambda *what: told.append(what))
    assert new.texts == before and not new.shelf and carried.stage == swap.END and carried.pages == []
    assert result.list == "taken" and ("move", len(before), len(before)) in told
    assert old.texts == before and step(world, old, carried).upload == "moved"
    assert old.texts == [] and old.shelf and carried.stage == swap.OVER


def test_number_on_the_screen_is_of_the_new_tokens_key(world):
    old, new = pair(world)
    carried, shown = swap.Swap(), []
    assert step(world, new, carried, show=shown.append).upload == "moved" and shown == []
    step(world, old, carried, show=shown.append)
    assert shown == [carried.number(old.whole)]
    assert len({swap.Swap(public=bytes([n]) * 32).number(old.whole) for n in range(40)}) > 8


def test_token_that_is_not_the_one_is_told_from_the_right_one_and_nothing_changes(world):
    old, new = pair(world)
    carried = swap.Swap()
    assert step(world, old, carried).upload == "none" and carried.stage == swap.NEW
    for stage, wrong, upload in (
        (swap.OLD, SwapToken(world.root), "none"),
        (swap.FILL, SwapToken(world.root, TEXTS), "none"),
        (swap.END, SwapToken(world.root, TEXTS), "the wearer did not agree"),
    ):
        until(world, stage, old, new, carried)
        before = list(wrong.texts)
        assert step(world, wrong, carried).upload == upload and carried.stage == stage
        assert wrong.texts == before


def test_wearer_who_does_not_press_gives_nothing(world):
    old, new = pair(world, agrees=False)
    carried = swap.Swap()
    step(world, new, carried)
    assert step(world, old, carried).upload == "the wearer did not agree" and carried.stage == swap.OLD
    old.agrees = True
    until(world, swap.OVER, old, new, carried)
    assert new.texts and not old.texts


def test_page_that_is_spoilt_on_the_way_is_refused_and_the_old_token_stays_whole(world):
    old, new = pair(world, faults={"spoilt_page"})
    carried = swap.Swap()
    until(world, swap.FILL, old, new, carried)
    with pytest.raises(VisitError):
        step(world, new, carried)
    assert carried.stage == swap.FILL and old.texts and new.shelf


def test_receipt_that_was_lost_is_had_by_laying_the_new_token_down_again(world):
    old, new = pair(world)
    carried = swap.Swap()
    until(world, swap.END, old, new, carried)
    receipt = carried.receipt
    for stage in (swap.NEW, swap.FILL):
        new.file.clear()
        again = swap.Swap(stage=stage)
        assert step(world, new, again).upload == "moved" and (again.stage, again.receipt) == (swap.END, receipt)


def test_representative_agrees_in_the_visit_of_the_old_token_only(world):
    old, new = pair(world)
    carried = swap.Swap(proxy=True)
    asked = []
    for token in (new, old, new, old):
        step(world, token, carried)
        asked.append(token.asked & spec.ASK_PROXY)
    assert asked == [0, spec.ASK_PROXY, 0, 0]


def test_kiosk_without_a_clinics_certificate_asks_for_no_swap(world):
    _, new = pair(world)
    with pytest.raises(VisitError, match="clinic"):
        step(world, new, swap.Swap(), world.kiosk)
    assert spec.ASK not in new.heard


# -- the order of the screens


def begun():
    own = Flow(clinic=True)
    for name in ("staff", "more", "swap", "agree"):
        assert own.tap(name), name
    assert own.screen.name == "swapnew"
    return own


def test_screens_say_whose_turn_it_is():
    own = begun()
    for stage, screen in (
        (swap.OLD, "swapold"),
        (swap.FILL, "swapfill"),
        (swap.END, "swapend"),
        (swap.OVER, "swapped"),
    ):
        own.seen()
        own.moving(0.5)
        own.stepped(stage, "moved", "K83")
        assert own.screen.name == screen
    assert own.errand == ""


def test_other_token_or_a_visit_that_breaks_leads_back_to_the_same_step():
    own = begun()
    own.stepped(swap.OLD, "moved", "K83")
    own.stepped(swap.OLD, "none", "K83")
    assert own.screen.name == "nottoken" and own.screen.fields == {"code": "K83"} and not own.free
    own.tap("another")
    assert own.screen.name == "swapold"
    own.broke("lost", "K51")
    assert own.screen.name == "unmoved" and own.screen.fields == {"code": "K51"}
    own.tap("another")
    own.two()
    own.back()
    assert own.screen.name == "swapold"


def test_swap_that_is_left_says_so_only_if_the_old_token_is_still_to_be_erased():
    for stage, screen in ((swap.OLD, "start"), (swap.FILL, "start"), (swap.END, "unerased")):
        own = begun()
        own.stepped(stage, "moved", "K83")
        own.time_is_up()
        assert own.screen.name == screen and own.errand == "" and own.step == swap.NEW
    own.time_is_up()
    assert own.screen.name == "start"


def test_wearer_who_does_not_agree_ends_it():
    own = begun()
    own.stepped(swap.OLD, "moved", "K83")
    own.stepped(swap.OLD, "the wearer did not agree", "K83")
    assert own.screen.name == "kept" and own.errand == ""


# -- in a browser


@pytest.fixture
def hall(tmp_path):
    with Hall(tmp_path, clinic=True) as own:
        path = own.folder.path / "kiosk.cert"
        public = signing.load_public(own.folder.path / "kiosk.pub")
        path.write_bytes(core.certify_kiosk(own.world.authority, public, 0, NOW_S, proxy=True)[1])
        yield own


@pytest.fixture
def page(chromium, hall):
    own = chromium.new_page(viewport={"width": 800, "height": 480})
    own.goto(hall.url)
    on(own, "start")
    for name, then in (("staff", "staff"), ("more", "tasks"), ("swap", "swap"), ("agree", "swapnew")):
        tap(own, name, then)
    yield own
    own.close()


def lay(page, hall, token, then):
    hall.tray.press(token)
    on(page, "which")
    tap(page, "yes", then)


def test_swap_is_done_at_the_page_and_nothing_of_it_is_left_in_the_folder(page, hall):
    old, new = SwapToken(hall.world.root, TEXTS), SwapToken(hall.world.root)
    before = list(old.texts)
    for token, then in ((new, "swapold"), (old, "swapfill"), (new, "swapend"), (old, "swapped")):
        lay(page, hall, token, then)
    assert new.texts == before and old.texts == [] and new.serial == 3
    steps = [(one["errand"], one["step"], one["upload"]) for one in hall.folder.visits()]
    assert steps == [("swap", step, "moved") for step in (swap.OLD, swap.FILL, swap.END, swap.OVER)]
    kept = [path.read_bytes() for path in hall.folder.path.rglob("*") if path.is_file()]
    assert not any(text in data for data in kept for text in before) and max(map(len, kept)) < 9_000


def test_wrong_token_and_one_that_walks_away_lose_nothing(page, hall):
    old, new = SwapToken(hall.world.root, TEXTS), SwapToken(hall.world.root)
    lay(page, hall, old, "nottoken")
    assert faults.OTHER_TOKEN in page.inner_text("#screen")
    tap(page, "another", "swapnew")
    lay(page, hall, new, "swapold")
    address = hall.tray.press(old)
    on(page, "which")
    hall.tray.tokens.pop(address)
    tap(page, "yes", "unmoved")
    assert faults.LOST in page.inner_text("#screen") and old.texts and new.texts == []
    tap(page, "another", "swapold")
    lay(page, hall, old, "swapfill")
    lay(page, hall, new, "swapend")
    tap(page, "start", "unerased")
    assert faults.HALF_SWAPPED in page.inner_text("#screen")
    log = [json.loads(line) for line in (hall.folder.path / "log.jsonl").read_text().splitlines()]
    assert not any(key in one for one in log for key in ("address", "name", "pages", "receipt"))
