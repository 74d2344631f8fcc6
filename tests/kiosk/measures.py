"""Owns what a screen measures in the tests' browser, and what every screen has to keep. Asserts nothing by itself."""

from tools.kiosk.hall import words

# axe-core: WCAG 2.2 AA and its best practices.
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
# Its smallest letters, smallest target, and what lies outside the window; and what does if letters are twice as large.
_MEASURES = """() => {
  const root = document.documentElement;
  const shown = (element) => element.getClientRects().length && getComputedStyle(element).visibility !== "hidden";
  const texts = [...document.querySelectorAll("body *")].filter((element) => shown(element)
    && [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
  const targets = [...document.querySelectorAll("button")].map((button) => button.getBoundingClientRect());
  const found = {
    letters: Math.min(...texts.map((element) => parseFloat(getComputedStyle(element).fontSize))),
    target: Math.min(1000, ...targets.map((box) => Math.min(box.width, box.height))),
    wide: root.scrollWidth - innerWidth,
    high: root.scrollHeight - innerHeight,
    pictures: document.querySelectorAll("main svg").length,
    typed: document.querySelectorAll("input, textarea, select, [contenteditable]").length,
    words: document.querySelector("main").innerText.split(/[ \\n]+/).filter((word) => /[\\p{L}\\d]/u.test(word)).length,
  };
  root.style.fontSize = "200%";
  found.doubled = root.scrollWidth - innerWidth;
  root.style.fontSize = "";
  return found;
}"""


def measured(page):
    """letters, target, wide, high, pictures, typed, words, doubled; lengths in px."""
    return page.evaluate(_MEASURES)


def is_as_promised(found):
    """Letters of 28 px, targets of 64, all in the window, one picture, nothing to type, at most twelve words."""
    large = found["letters"] >= 28 and found["target"] >= 64
    inside = found["wide"] <= 0 and found["high"] <= 0
    return large and inside and (found["pictures"], found["typed"]) == (1, 0) and found["words"] <= words.MOST_WORDS
