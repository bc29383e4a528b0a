"""Writes the first seeds of the corpora: small, sound inputs and a few classic lies, from which the fuzzer goes on."""

import bz2
import gzip
import io
import sys
import tarfile
import zipfile
from pathlib import Path

RECORDS = {
    "plain": "a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\na-1.dist-info/RECORD,,\n",
    "quoted": '"b,""c"".py",,\r\n\r\nd.py\r"f\ng",,7\n',
    "leaving": "../../../etc/passwd,md5=x,1\n/bin/sh,,\n",
    "bom": "\ufeffa.py,sha384=x,\n",
}
METADATA = {
    "full": "Metadata-Version: 2.4\nName: Foo.Bar\nVersion: 1.0.post1+cpu\nSummary: a\n b\nLicense-Expression: MIT\n"
    "Author-email: A <a@b.c>\nHome-page: https://x.y\nProject-URL: Docs, https://x.y/d\nRequires-Python: >=3.8\n"
    'Requires-Dist: baz[x]>=1; extra == "t"\nProvides-Extra: t\n\nThe description.\n',
    "escape": "Name: a\nVersion: 1\x1b[31m\nSummary: \x07\r\n\tx\r\n",
    "wheel": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py2-none-any\nTag: py3-none-any\n",
}
ENTRY_POINTS = {
    "plain": "[console_scripts]\nrun = pkg.mod:Class.main\nb = c:d [x, y]\n\n[gui_scripts]\nwin=a:b\n[other]\nx\n",
    "odd": "\ufeff# a\n; b\n[ console_scripts ]\n\u00fcber = \u00fc.b:\u00e9\nactivate.sh = a:b\n../x = a:b\n",
}
WHEEL_NAMES = {
    "plain": "foo_bar-1.0.post1+cpu-py3-none-any.whl",
    "build": "Foo.Bar-1!2.0-1abc-cp312.cp313-abi3.none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "path": "../a-1.0-py3-none-any.whl",
}
PYVENV = {
    "plain": "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.12.1\nvirtpy-link-mode = copy\n"
    "virtpy-id = 0123456789abcdef\n",
    "odd": "HOME=C:\\x\r\n = \nno value\n\u0130 = a = b\rc\n",
}


def zip_of(members, method=zipfile.ZIP_STORED):
    """A zip archive of names and contents; a name that ends in `/` is a folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.external_attr = (0o40755 if name.endswith("/") else 0o100644) << 16
            info.compress_type = method
            archive.writestr(info, content)
    return out.getvalue()


class Stream(io.BytesIO):
    """A file that cannot go back, so that sizes come after the data."""

    def seekable(self):
        """It is not."""
        return False

    def seek(self, *_):
        """It cannot."""
        raise OSError("no way back")


def streamed():
    """A zip archive with data descriptors."""
    out = Stream()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a/b.txt", (2020, 1, 1, 0, 0, 0)), b"x" * 50)
        archive.writestr(zipfile.ZipInfo("c", (2020, 1, 1, 0, 0, 0)), b"")
    return out.getvalue()


def zips():
    """Seeds of the target `zip`."""
    members = [("p/", b""), ("p/a.py", b"print(1)\n"), ("p-1.dist-info/RECORD", b"p/a.py,,\n")]
    return {
        "stored": zip_of(members),
        "deflated": zip_of([("a", b"ab" * 60), ("b/c", b"")], zipfile.ZIP_DEFLATED),
        "streamed": streamed(),
        "leaving": zip_of([("a", b"1"), ("../x", b"2")]),
        "clash": zip_of([("a", b"1"), ("A", b"2"), ("a/b", b"3")]),
        "bomb": zip_of([("z", bytes(300_000))], zipfile.ZIP_DEFLATED),
    }


def member(name, kind=tarfile.REGTYPE, link="", content=b"", mode=0o644):
    """One member of a tar archive with its content."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mode = kind, link, len(content), mode
    return info, content


def tar_of(members, family=tarfile.PAX_FORMAT):
    """A tar archive of such members, with the smallest end."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=family) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
        length = out.tell()
    return out.getvalue()[:length] + bytes(1024)


def tars():
    """Seeds of the target `tar`."""
    long = "l" * 90 + "/" + "m" * 90
    plain = tar_of(
        [
            member("p", tarfile.DIRTYPE, mode=0o755),
            member("p/a.py", content=b"print(1)\n", mode=0o755),
            member("p/b", tarfile.SYMTYPE, "a.py"),
            member("p/c", tarfile.LNKTYPE, "p/a.py"),
        ]
    )
    return {
        "plain": plain,
        "gzip": gzip.compress(plain, mtime=0),
        "bzip2": bz2.compress(plain),
        "pax": tar_of([member("\u00fc" * 60, content=b"1"), member(long, tarfile.SYMTYPE, "\u00fc" * 60)]),
        "gnu": tar_of([member(long, content=b"1"), member("s", tarfile.SYMTYPE, long)], tarfile.GNU_FORMAT),
        "out": tar_of([member("d", tarfile.SYMTYPE, ".."), member("d/x", content=b"1")]),
        "far": tar_of([member("a/b/c", tarfile.SYMTYPE, "../../x"), member("h", tarfile.LNKTYPE, "../h")]),
        "device": tar_of([member("dev", tarfile.CHRTYPE), member("fifo", tarfile.FIFOTYPE)]),
    }


def main():
    """Writes all of them below the folder that is given, one folder per target."""
    texts = {
        "record": RECORDS,
        "metadata": METADATA,
        "entry_points": ENTRY_POINTS,
        "wheel_name": WHEEL_NAMES,
        "pyvenv_cfg": PYVENV,
    }
    corpora = {name: {seed: text.encode() for seed, text in seeds.items()} for name, seeds in texts.items()}
    for target, seeds in dict(corpora, zip=zips(), tar=tars()).items():
        folder = Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in seeds.items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
