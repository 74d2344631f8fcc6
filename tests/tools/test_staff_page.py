"""Facts about the staff's pages in a real Chromium: each role's part, in both languages, with axe-core over it."""

import time

import pytest

from tests.browser import chromium, violations
from tests.tools.web_server import served
from tools.authority import core, staff, store
from tools.authority.web.app import Settings, make_app

__all__ = ["chromium"]
PASSWORD = "correct horse battery"
PEOPLE = (("mai", staff.CLINIC, 1), ("an", staff.RELEASE, 0), ("binh", staff.RELEASE, 0), ("chi", staff.ADMIN, 0))
WIDTHS = (1280, 360)
IN = {
    "vi": {"log_in": "Đăng nhập", "out": "Đăng xuất", "issue": "Cấp mã", "propose": "Đề nghị", "revoke": "Thu hồi"},
    "en": {"log_in": "Log in", "out": "Log out", "issue": "Give out", "propose": "Propose", "revoke": "Revoke"},
}
SAID = {
    "vi": ("Sai tên hoặc mật khẩu", "Các mã ở bên dưới", "Đã đề nghị", "Đã đồng ý", "Đã thu hồi"),
    "en": ("Name or password is wrong", "The codes are below", "Proposed", "Agreed", "Revoked"),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """(address, the authority's folder)."""
    folder, now_s = tmp_path_factory.mktemp("staff") / "authority", int(time.time())
    core.init(folder, now_s)
    for name, role, clinic in PEOPLE:
        staff.add(folder, name, role, PASSWORD, now_s, clinic)
    with served(make_app(Settings(folder))) as address:
        yield address, folder
    store.close(folder)


class Person:
    """Somebody at the pages, in a language; every page that is seen is looked at by axe, and for its width."""

    def __init__(self, browser, address, language):
        self.page = browser.new_page(viewport={"width": WIDTHS[0], "height": 900})
        self.words, self.problems = IN[language], []
        self.page.on("console", lambda message: self.problems.append(message.text) if message.type == "error" else None)
        self.page.goto(address)
        if self.page.get_attribute("html", "lang") != language:
            self.page.click(f'button[value="{language}"]')
        self.look()

    def look(self):
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            assert violations(self.page) == ""
            assert self.page.evaluate("document.documentElement.scrollWidth") <= width

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()
        self.look()

    def said(self):
        return self.page.get_by_role("status").inner_text()

    def log_in(self, name, password=PASSWORD):
        self.page.fill("#name", name)
        self.page.fill("#password", password)
        self.press(self.words["log_in"])

    def close(self):
        self.press(next(button for button in self.buttons() if button.startswith(self.words["out"])))
        assert self.page.is_visible("#password")
        self.page.close()
        refused = [text for text in self.problems if "status of 401" not in text]
        assert refused == []

    def buttons(self):
        return [button.inner_text() for button in self.page.get_by_role("button").all()]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_each_role_does_its_part(chromium, service, language):
    address, folder = service
    wrong, codes, proposed, agreed, revoked = SAID[language]
    mai = Person(chromium, address, language)
    mai.log_in("mai", "something else entirely")
    assert wrong in mai.said()
    mai.log_in("mai")
    mai.page.fill("#count", "3")
    mai.press(mai.words["issue"])
    assert codes in mai.said() and mai.page.locator(".codes li").count() == 3
    mai.page.emulate_media(media="print")
    assert mai.page.locator(".codes").is_visible() and not mai.page.locator("#count").is_visible()
    mai.page.emulate_media(media="screen")
    mai.close()
    an = Person(chromium, address, language)
    an.log_in("an")
    an.press(an.words["propose"])
    assert proposed in an.said()
    an.close()
    binh = Person(chromium, address, language)
    binh.log_in("binh")
    binh.page.locator('form[action="/releases/approve"] button').first.click()
    binh.look()
    assert agreed in binh.said()
    binh.close()
    serial, _ = core.certify_kiosk(folder, bytes(32), 0, int(time.time()))
    chi = Person(chromium, address, language)
    chi.log_in("chi")
    chi.page.fill("#serial", str(serial))
    chi.press(chi.words["revoke"])
    assert revoked in chi.said()
    chi.close()


def test_everything_can_be_done_by_keys_alone(chromium, service):
    page = chromium.new_page()
    page.goto(service[0])
    page.wait_for_selector("#name:focus")  # the page asks for it once it is drawn
    page.keyboard.type("mai")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#count")
    page.locator("#count").press("Enter")
    page.wait_for_selector(".codes li")
    page.close()


def test_letters_of_twice_the_size_push_nothing_out_of_the_page(chromium, service):
    person = Person(chromium, service[0], "vi")
    person.log_in("an")
    person.page.set_viewport_size({"width": 720, "height": 900})
    person.page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert person.page.evaluate("document.documentElement.scrollWidth") <= 720
    person.page.close()
