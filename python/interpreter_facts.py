"""Prints what virtpy must know about the interpreter that runs this file: one line of JSON after a marker.

virtpy starts it as `python -I -S -B -c <this text>`. It runs on Python 3.6 and newer, so that an interpreter
that is too old for virtpy can still say which version it is, and imports only the standard library. Of that as little
as can be: in an interpreter that was just installed nothing is compiled yet, and `json` and `platform` alone would take
longer than everything else.
"""

import os
import site
import sys
import sysconfig

MARKER = "virtpy-interpreter-facts:"


def portable(path):
    """The path as UTF-8 text, whatever the locale's encoding is; a path that is not UTF-8 raises."""
    return os.fsencode(path).decode("utf-8")


def version():
    stage = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(sys.version_info.releaselevel)
    suffix = "" if stage is None else stage + str(sys.version_info.serial)
    return "%d.%d.%d" % sys.version_info[:3] + suffix


def implementation_version():
    info = sys.implementation.version
    text = "%d.%d.%d" % info[:3]
    if info.releaselevel != "final":
        text += info.releaselevel[0] + str(info.serial)
    return text


def markers():
    """The eleven environment markers of PEP 508."""
    values = {
        "implementation_name": sys.implementation.name,
        "implementation_version": implementation_version(),
        "os_name": os.name,
        "sys_platform": sys.platform,
    }
    if sys.platform == "linux" and sys.implementation.name == "cpython":
        values.update(plain_markers())
    else:
        values.update(platform_markers())
    # A build from a development branch calls itself "3.14.0a1+", which no version specifier can read.
    full_version = values["python_full_version"].rstrip("+")
    values["python_full_version"] = full_version
    values["python_version"] = ".".join(full_version.split(".")[:2])
    return values


def platform_markers():
    """Those that are defined by functions of `platform`."""
    import platform

    return {
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
    }


def plain_markers():
    """The same for CPython on Linux, where these functions find it out in this way."""
    system = os.uname()
    return {
        "platform_machine": system.machine,
        "platform_python_implementation": "CPython",
        "platform_release": system.release,
        "platform_system": system.sysname,
        "platform_version": system.version,
        "python_full_version": sys.version.split()[0],
    }


def site_packages(name):
    """Where a venv of this interpreter keeps `name` (purelib or platlib), relative to the venv."""
    scheme = "venv" if "venv" in sysconfig.get_scheme_names() else "posix_prefix"
    return sysconfig.get_path(name, scheme, {"base": "", "platbase": ""}).lstrip("/")


def base_packages():
    """The folders of packages of the base interpreter itself; distributors have ways of their own to name them."""
    try:
        folders = site.getsitepackages([sys.base_prefix, sys.base_exec_prefix])
        return [portable(folder) for folder in folders if os.path.isabs(folder)]
    except (AttributeError, UnicodeDecodeError):
        return []


def libc_file():
    """The C library that is mapped into this process (Linux), or None."""
    try:
        with open("/proc/self/maps", "rb") as maps:
            paths = [os.fsdecode(line.split(None, 5)[-1].strip()) for line in maps if b"/" in line]
    except OSError:
        return None
    for path in paths:
        if os.path.basename(path).startswith(("libc.so", "libc-2.", "ld-musl-", "libc.musl-")):
            return path
    return None


def libc(path):
    """Family and version of the C library, which decide between manylinux and musllinux wheels."""
    try:
        words = (os.confstr("CS_GNU_LIBC_VERSION") or "").split()
    except (AttributeError, ValueError, OSError):
        words = []
    if len(words) == 2 and words[0] == "glibc":
        return numbered("glibc", words[1])
    if path is not None and "musl" in path:
        import subprocess

        try:
            # musl tells its version only when it is started as a program.
            loader = subprocess.Popen([path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        except OSError:
            return None
        for line in loader.communicate()[1].decode("utf-8", "replace").splitlines():
            if line.startswith("Version "):
                return numbered("musl", line.split()[1])
    return None


def numbered(family, text):
    major, minor = text.split(".")[:2]
    digits = "".join(character for character in minor if character.isdigit())
    return {"family": family, "major": int(major), "minor": int(digits)}


def macos():
    """The macOS version, which decides which wheels fit; the platform's name only has the build's target."""
    if sys.platform != "darwin":
        return None
    import platform

    numbers = platform.mac_ver()[0].split(".") + ["0"]
    return [int(numbers[0]), int(numbers[1])]


def magic():
    """The number that this interpreter's bytecode begins with, in hexadecimal digits."""
    external = sys.modules.get("_frozen_importlib_external")
    if external is None:
        import importlib.util as external
    return "".join("%02x" % byte for byte in external.MAGIC_NUMBER)


def facts():
    library = libc_file()
    variable = sysconfig.get_config_var
    return {
        # In a venv on Python 3.10 or older this is the venv's own file; the caller follows pyvenv.cfg then.
        "executable": portable(getattr(sys, "_base_executable", None) or sys.executable),
        "version": version(),
        "implementation": sys.implementation.name,
        "prefix": portable(sys.base_prefix),
        "stdlib": portable(sysconfig.get_path("stdlib")),
        "purelib": portable(site_packages("purelib")),
        "platlib": portable(site_packages("platlib")),
        "packages": base_packages(),
        "platlibdir": getattr(sys, "platlibdir", "lib"),
        "free_threaded": bool(variable("Py_GIL_DISABLED")),
        "abi_flags": getattr(sys, "abiflags", ""),
        "cache_tag": sys.implementation.cache_tag,
        "magic": magic(),
        "soabi": variable("SOABI"),
        "extension_suffix": variable("EXT_SUFFIX"),
        "platform": sysconfig.get_platform(),
        "pointer_width": 64 if sys.maxsize > 2**32 else 32,
        "libc": libc(library),
        "macos": macos(),
        "markers": markers(),
        "libc_file": None if library is None else portable(library),
    }


def as_json(value):
    """The value as JSON in ASCII."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "{%s}" % ", ".join(as_json(key) + ": " + as_json(value[key]) for key in value)
    if isinstance(value, (list, tuple)):
        return "[%s]" % ", ".join(as_json(item) for item in value)
    if isinstance(value, int):
        return str(value)
    return '"%s"' % "".join(escaped(character) for character in value)


def escaped(character):
    """A character of a text in JSON."""
    code = ord(character)
    if character in '"\\' or not 32 <= code < 127:
        if code > 0xFFFF:
            code -= 0x10000
            return "\\u%04x\\u%04x" % (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF))
        return "\\u%04x" % code
    return character


# A wrapper around the interpreter may have printed something without ending its line.
sys.stdout.write("\n" + MARKER + as_json(facts()) + "\n")
