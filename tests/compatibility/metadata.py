"""What importlib.metadata and pkgutil tell about the distributions."""

import json

import side_by_side
from support import require, require_equal

PACKAGES = r"""
import json
from importlib.metadata import packages_distributions
print(json.dumps({name: sorted(owners) for name, owners in packages_distributions().items()}))
"""


def check(pair):
    """Compares every distribution's metadata, and that each file it names is there."""
    ours, real = (json.loads(pair.python(venv, side_by_side.METADATA)) for venv in ("ours", "real"))
    if "pip" not in real:
        ours.pop("pip", None)
    require_equal(sorted(ours), sorted(real), "names of the distributions")
    require(len(real) == len(pair.pins), "%d distributions for %d pins" % (len(real), len(pair.pins)))
    results, files = {}, 0
    for name, facts in real.items():
        found = ours[name]
        kinds = {}
        for key in ("version", "requires", "entry_points", "summary"):
            if found[key] != facts[key]:
                kinds[key] = (found[key], facts[key])
        wanted = {path for path in facts["files"] if path.split("/")[-1] not in side_by_side.INSTALLERS_OWN}
        files += len(wanted)
        lacking = sorted(wanted - set(found["files"]))
        if lacking:
            kinds["files"] = ("not listed: %s" % lacking[:10], "")
        if found["missing"]:
            kinds["existing files"] = ("listed, but not there: %s" % found["missing"][:10], "")
        results[name] = kinds
    pair.judge("metadata", results)
    ours, real = (json.loads(pair.python(venv, PACKAGES)) for venv in ("ours", "real"))
    if not pair.pinned("pip"):
        ours.pop("pip", None)
    kinds = {name: (ours.get(name), real.get(name)) for name in set(ours) | set(real)}
    kinds = {name: {"packages_distributions": both} for name, both in kinds.items() if both[0] != both[1]}
    pair.judge("packages_distributions", kinds)
    return "importlib.metadata agrees on %d distributions, their %d files and %d packages" % (
        len(results),
        files,
        len(real),
    )
