"""Schemathesis over the API's own description; the last line counts operations: `N passed, N failed, N skipped`.

An operation passes when no answer breaks the description, and at least one request was accepted: one that is only ever
refused is not tested.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).parent
sys.path.insert(0, str(FOLDER))


def run(report, location, credentials):
    command = [sys.executable, "-m", "schemathesis.cli"]
    command += ["--config-file", str(FOLDER / "schemathesis.toml"), "run", location]
    command += ["--auth", credentials, "--report", "json", "--report-json-path", str(report), "--no-color"]
    environment = {**os.environ, "PYTHONPATH": str(FOLDER)}
    return subprocess.run(command, env=environment, check=False).returncode


def never_accepted(report):
    """Operations without a single success, in whatever phase."""
    rates = report["valid_rates"].items()
    return {label for label, phases in rates if not any(rate["accepted"] for rate in phases.values())}


def main():
    from world import CREDENTIALS, HOST

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "report.json"
        code = run(path, f"{HOST}/openapi.json", CREDENTIALS)
        if not path.exists():
            print("0 passed, 1 failed, 0 skipped")
            return code or 1
        report = json.loads(path.read_text(encoding="utf-8"))
    operations = report["operations"]
    bad = {operation for failure in report["failures"] for operation in failure["operations"]}
    idle = never_accepted(report) - bad
    for label in sorted(idle):
        print(f"never accepted: {label}")
    print(f"{report['test_cases']['generated']} examples of {operations['tested']} operations, seed {report['seed']}")
    failed = len(bad | idle) + sum(error["count"] for error in report["errors"])
    print(f"{operations['tested'] - len(bad | idle)} passed, {failed} failed, {operations['skipped']} skipped")
    return 1 if failed or code else 0


if __name__ == "__main__":
    sys.exit(main())
