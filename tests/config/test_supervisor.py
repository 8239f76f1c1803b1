import subprocess
import sys

GOES_ON_ONCE = """
import os, sys
from config.supervisor import Child

reader, writer = os.pipe()
os.close(reader)
sys.stdout = os.fdopen(writer, "w")
child = Child("talker", "builtins:print", [])
try:
    child.start()
    child.wait(float("inf"))
finally:
    sys.stderr.write("goes on\\n")
    sys.stderr.flush()
    os._exit(0)
"""


def test_a_child_that_nobody_listens_to_ends_instead_of_going_on_as_the_supervisor() -> None:
    done = subprocess.run(
        [sys.executable, "-c", GOES_ON_ONCE],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr.count("goes on") == 1
