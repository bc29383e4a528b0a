"""The scripts in bin/: which there are, whether they can be run, and what they say."""

import re

import side_by_side
from support import require, require_equal

from differences import NOT_RUN_SCRIPTS, matches
from pair import normal

LIMIT = 60  # seconds for one script, many times what most need


def look(pair, venv, call):
    """How a script ends, and what it prints. `call` is its name and an option."""
    name, option = call.split(" ")
    code, text = pair.run(venv, [pair.place.path(venv) / "bin" / name, option], LIMIT)
    if code is None:
        return {"script": "took too long"}
    text = normal(text, pair, venv, wrapped=True)
    # pip's and virtpy's starters of entry points differ in length, which shows in tracebacks.
    return {"script": "%d %s" % (code, re.sub(r'(File"VENV/bin/[^"]+",line)\d+', r"\1", text))}


def check(pair):
    """Compares names, modes and contents of all scripts, and what those say that can be run safely."""
    ours, real = (side_by_side.scripts(pair.place, venv) for venv in ("ours", "real"))
    require_equal(sorted(ours), sorted(real), "names of the scripts")
    results = {}
    for name in real:
        facts = zip(("executable", "content"), ours[name], real[name])
        results[name] = {kind: (mine, theirs) for kind, mine, theirs in facts if mine != theirs}
    pair.judge("scripts", results)
    names = sorted(name for name in real if real[name][0] and not matches(name, NOT_RUN_SCRIPTS))
    calls = ["%s %s" % (name, option) for name in names for option in ("--version", "--help")]
    good = set()

    def counting(venv, call):
        """The same as look, and notes what really ran."""
        facts = look(pair, venv, call)
        if re.match(r"0 .", facts["script"]):
            good.add(call)
        return facts

    pair.compare("scripts", calls, counting)
    require(len(good) >= len(calls) // 3, "only %d of %d calls succeed at all" % (len(good), len(calls)))
    text = "%d scripts are alike, %d calls of %d scripts say the same (%d of them succeed)"
    return text % (len(real), len(calls), len(names), len(good))
