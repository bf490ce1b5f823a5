"""Holds docs/DEPENDENCIES.md to what the workspace's crates name: none missing, none stale, each under its licence.

Reads `cargo metadata` from standard input. Prints what differs; exit code 1 when anything does.
"""

import json
import re
import sys
from pathlib import Path

ROW = re.compile(r"^\| `(?P<name>[^`]+)` \| [^|]+ \| (?P<licence>[^|]+) \|")


def named(metadata):
    """The licences of others' crates that ours name, by the crates' names."""
    ours = set(metadata["workspace_members"])
    packages = {package["id"]: package for package in metadata["packages"]}
    edges = [edge for node in metadata["resolve"]["nodes"] if node["id"] in ours for edge in node["deps"]]
    others = [packages[edge["pkg"]] for edge in edges if edge["pkg"] not in ours]
    return {package["name"]: package["license"] for package in others}


def described(page):
    rows = [row for line in page.splitlines() if (row := ROW.match(line))]
    return {row["name"]: row["licence"].strip() for row in rows}


def main():
    there, told = named(json.load(sys.stdin)), described(Path("docs/DEPENDENCIES.md").read_text())
    wrong = [f"{name} has no row" for name in sorted(there.keys() - told.keys())]
    wrong += [f"{name} is nobody's dependency" for name in sorted(told.keys() - there.keys())]
    wrong += [
        f"{name} is under {there[name]}, not {told[name]}"
        for name in sorted(there.keys() & told.keys())
        if there[name] != told[name]
    ]
    print("\n".join(wrong))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
