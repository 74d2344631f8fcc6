"""Owns the comparison of compiled device code with budgets.toml. Knows nothing of what the code does."""

import sys
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tools import ROOT
from tools.build import BuildError, Unit, build

BUDGETS = ROOT / "budgets.toml"


@dataclass
class Sizes:
    """Bytes of .mpy by package and by file, the budgets, and one line of text for each budget that is exceeded."""

    packages: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    budgets: dict = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Of what one token carries: the largest board's, not all boards'."""
        boards = {name: size for name, size in self.packages.items() if name.startswith("board-")}
        return sum(self.packages.values()) - sum(boards.values()) + max(boards.values(), default=0)

    def file_budget(self, source: str) -> int:
        return self.budgets["files"].get(source, self.budgets["file_default_bytes"])


def measure(units: list[Unit], budgets: dict) -> Sizes:
    """Add the units up and hold each file, each package and the whole against its budget."""
    packages: dict[str, int] = defaultdict(int)
    for unit in units:
        packages[_package(unit)] += unit.size
    sizes = Sizes(dict(packages), {unit.source: unit.size for unit in units}, budgets)
    sizes.complaints = [*_file_complaints(sizes), *_package_complaints(sizes)]
    return sizes


def _package(unit: Unit) -> str:
    """The package that a unit counts for: cryptography stands in lib but has a share of its own."""
    return "crypto" if unit.source.startswith("lib/emask_crypto/") else unit.package


def _file_complaints(sizes: Sizes) -> list[str]:
    over = [
        f"{source}: {size} bytes, budget {sizes.file_budget(source)}"
        for source, size in sizes.files.items()
        if size > sizes.file_budget(source)
    ]
    gone = [
        f"{source}: has a budget but does not exist" for source in sizes.budgets["files"] if source not in sizes.files
    ]
    return over + gone


def _package_complaints(sizes: Sizes) -> list[str]:
    now, shares = sizes.budgets["now"], sizes.budgets["shares"]
    over = [
        f"{package}: {size} bytes, budget {now.get(package, 0)}"
        for package, size in sizes.packages.items()
        if size > now.get(package, 0)
    ]
    if sum(shares.values()) > sizes.budgets["total_bytes"]:
        over.append(f"the shares add up to {sum(shares.values())} bytes, the whole is {sizes.budgets['total_bytes']}")
    if sizes.total > sizes.budgets["total_bytes"]:
        over.append(f"total: {sizes.total} bytes, budget {sizes.budgets['total_bytes']}")
    return over


def load_budgets(path: Path = BUDGETS) -> dict:
    return tomllib.loads(path.read_text())


def _show(sizes: Sizes) -> None:
    for source, size in sizes.files.items():
        print(f"{size:7d} of {sizes.file_budget(source):6d}  {source}")
    for package, size in sizes.packages.items():
        print(f"{size:7d} of {sizes.budgets['now'].get(package, 0):6d}  all of {package}")
    print(f"{sizes.total:7d} of {sizes.budgets['total_bytes']:6d}  everything, the finished product's budget")


def main() -> int:
    try:
        sizes = measure(build(), load_budgets())
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    _show(sizes)
    for complaint in sizes.complaints:
        print(f"over budget: {complaint}", file=sys.stderr)
    return 1 if sizes.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
