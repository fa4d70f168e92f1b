"""Run the attacks and print a table: ``python -m tests.attacks [--bare | --confined] [NAME ...]``."""

from __future__ import annotations

import argparse
import sys
import time

from tests.attacks.attack import Attack, load_all
from tests.attacks.range import Range, shooting_range

COLUMNS = {"bare": "off", "confined": "strict"}
"""What SANDBOX is set to for each."""


def main() -> int:
    """Print the table; return 1 if an attack did other than it should."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description="Attack the service.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="attacks (area/name) or areas; all by default")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--bare", action="store_true", help="only without a sandbox")
    only.add_argument("--confined", action="store_true", help="only with the whole sandbox")
    asked = parser.parse_args()
    attacks = load_all(*asked.names)
    columns = ["bare"] if asked.bare else ["confined"] if asked.confined else ["bare", "confined"]
    cells: dict[str, dict[str, str]] = {attack.name: {} for attack in attacks}
    wrong: list[str] = []
    for column in columns:
        with shooting_range(sandbox=COLUMNS[column]) as field:
            for attack in attacks:
                began = time.monotonic()
                cell, complaint = _shot(field, attack, column)
                cells[attack.name][column] = cell
                wrong += complaint
                took = f"{time.monotonic() - began:4.1f} s"
                print(f"{column:8} {attack.name:48} {took} {cell}", file=sys.stderr, flush=True)
    print(f"| attack | what it tries | {' | '.join(columns)} |\n|---|---|{'---|' * len(columns)}")
    for attack in attacks:
        print(f"| {attack.name} | {attack.summary} | {' | '.join(cells[attack.name][name] for name in columns)} |")
    print("", *wrong, sep="\n", file=sys.stderr)
    return bool(wrong)


def _shot(field: Range, attack: Attack, column: str) -> tuple[str, list[str]]:
    """Run one attack; return its cell of the table, and a complaint if that is not what it should be."""
    bare = column == "bare"
    if bare and attack.dangerous:
        return "not run", []
    if missing := attack.missing():
        return f"not run ({missing})", []
    result = field.run(attack)
    if result.damage:
        field.renew()
    expected = result.proven if bare else result.safe
    return "escaped" if result.harm else result.outcome, [] if expected else [f"{column}: {result}"]


if __name__ == "__main__":
    sys.exit(main())
