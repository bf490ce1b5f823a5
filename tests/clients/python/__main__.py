"""Runs every test by Basic and by Bearer; the last line counts: `N passed, N failed, N skipped`."""

import logging
import pathlib
import sys
import unittest
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).parent))
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

from engine import ClientTest  # noqa: E402


class Result(unittest.TextTestResult):
    """Counts tests, not the parts of tests that unittest lists."""

    passed = 0
    unprepared = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1

    def addError(self, test, err):
        super().addError(test, err)
        if not isinstance(test, unittest.TestCase):
            self.unprepared += 1


def run(credential):
    """How many passed, failed, and were skipped."""
    print(f"\nBy {credential}", flush=True)
    ClientTest.credential = credential
    suite = unittest.TestLoader().discover(str(pathlib.Path(__file__).parent))
    runner = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, warnings="ignore", resultclass=Result)
    result = runner.run(suite)
    skipped = len(result.skipped)
    return result.passed, result.testsRun - result.passed - skipped + result.unprepared, skipped


def main():
    results = [run(credential) for credential in ("Basic", "Bearer")]
    passed, failed, skipped = (sum(column) for column in zip(*results))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
