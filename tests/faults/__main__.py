"""Make one account and print it: ``python -m tests.faults [--seed N] [--renders N] [--faults N] sqlite|postgresql``."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.faults.trial import POSTGRESQL, SQLITE, trial

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("database", choices=(SQLITE, POSTGRESQL))
    parser.add_argument("--renders", type=int, default=200)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="manimcast-faults-") as folder:
        account = trial(asked.database, Path(folder), count=asked.renders, faults=asked.faults, seed=asked.seed)
    print(account.text())
    sys.exit(1 if account.problems() else 0)
