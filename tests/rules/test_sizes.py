"""Rules: compiled device code stays within its budgets, file by file, package by package and in all."""

from tools.build import build
from tools.size import load_budgets, measure


def test_compiled_code_is_within_its_budgets():
    assert measure(build(), load_budgets()).complaints == []


def test_shares_add_up_to_no_more_than_the_product():
    budgets = load_budgets()
    assert sum(budgets["shares"].values()) <= budgets["total_bytes"] == 90_000
    shares = {name: budgets["shares"][name.split("-")[0]] for name in budgets["now"]}
    assert all(budgets["now"][name] <= share for name, share in shares.items())
