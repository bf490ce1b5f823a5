"""Every method of every API class of the package is called by some test here."""

import pathlib
import re
import unittest

import smooch


class Complete(unittest.TestCase):
    def test_every_method_is_called(self):
        tests = pathlib.Path(__file__).parent.glob("test_*.py")
        called = set(re.findall(r"\.(\w+)\(", "\n".join(test.read_text(encoding="utf-8") for test in tests)))
        classes = [getattr(smooch, name) for name in dir(smooch) if name.endswith("Api")]
        suffix = "_with_http_info"
        for one in classes:
            methods = {method.removesuffix(suffix) for method in dir(one) if method.endswith(suffix)}
            self.assertTrue(methods)
            self.assertEqual(methods - called, set(), one.__name__)
