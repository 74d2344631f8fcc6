# Owns one run of a test file on the MicroPython VM: a line of JSON per test. Must not know pytest.
import io
import json
import sys


def run(module):
    """Run every test_* of the module, printing [name, "" or traceback] each."""
    for name in sorted(dir(module)):
        if not name.startswith("test_"):
            continue
        failure = ""
        try:
            getattr(module, name)()
        except Exception as error:  # noqa: BLE001 - a test may fail in any way, and the others still run
            text = io.StringIO()
            sys.print_exception(error, text)  # type: ignore[attr-defined]
            failure = text.getvalue()
        print("RESULT " + json.dumps([name, failure]))


if __name__ == "__main__":
    run(__import__(sys.argv[1]))
