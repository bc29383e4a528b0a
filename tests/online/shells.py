"""Activation in xonsh, a shell that comes from the package index: what is set, twice over, and what is left when it ends.

The other shells are tried where they are installed, by `tests/cli/activation.rs`.
"""

import json

from support import own_interpreter, require_equal

SCRIPT = """
import json, os
found = []

def look():
    path = [str(folder) for folder in $PATH]
    own = [place for place, folder in enumerate(path) if folder == os.path.join($PLACE, "bin")]
    env = ${...}
    found.append([env.get("VIRTUAL_ENV"), env.get("VIRTUAL_ENV_PROMPT"), own, "pydoc" in aliases, "deactivate" in aliases])

look()
source @($PLACE + "/bin/activate.xsh")
look()
source @($PLACE + "/bin/activate.xsh")
look()
found.append($(python -c "import sys; print(sys.prefix)").strip())
found.append($(pydoc -h).startswith("pydoc - "))
deactivate
look()
print(json.dumps(found))
"""


def check(place):
    """Activates a venv in xonsh, again in the active one, and ends it. Yields what was shown."""
    python = own_interpreter()
    place.new("shell", python)
    place.virtpy("add", "--venv", "shell", "xonsh")
    place.new("with space", python)
    venv = str(place.path("with space"))
    script = place.path("script.xsh")
    script.write_text(SCRIPT)
    environment = dict(place.environment, PLACE=venv)
    xonsh = [place.path("shell") / "bin" / "xonsh", "--no-rc", script]
    found = json.loads(place.run(xonsh, environment=environment)[0].splitlines()[-1])
    outside = [None, None, [], False, False]
    inside = [venv, "with space", [0], True, True]
    require_equal(found, [outside, inside, inside, venv, True, outside], "what xonsh sees")
    yield "xonsh activates a venv, once more in the active one, and leaves nothing of it"
