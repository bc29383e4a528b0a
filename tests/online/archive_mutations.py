"""Wheels that are wrong in one place, made from sound ones: any field of the archive, any file of the format.

The same seed gives the same wheels.
"""

import base64
import hashlib
import struct
import zlib

DIST_INFO = "demo-1.0.dist-info"
NAME = "demo-1.0-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nSummary: a demonstration\n\nText\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: fixture\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
ENTRY_POINTS = "[console_scripts]\ndemo-tool = demo:main\ndemo.other=demo.part:Class.run [extra]\n"

# Names that mean something else to somebody.
NAMES = [
    "../evil.py",
    "/evil.py",
    "//evil.py",
    "C:evil.py",
    "C:/evil.py",
    "..\\evil.py",
    "demo\\evil.py",
    "demo//evil.py",
    "./evil.py",
    "demo/./evil.py",
    "demo/../evil.py",
    "demo/..",
    "demo/.",
    "..",
    ".",
    "/",
    "",
    "evil.py/",
    "demo/",
    "demo",
    "demo/__init__.py",
    "demo/__init__.py/evil",
    "demo/__init__.py\0evil",
    "evil\0.py",
    "evil\n.py",
    "e\u0301vil.py",
    "\u00e9vil.py",
    "EVIL.py",
    "evil.py ",
    "evil.py.",
    "aux.py",
    "evil:stream",
    "~/evil.py",
    "-rf",
    "$HOME",
    "%2e%2e/evil",
    "demo/__pycache__/part.cpython-312.pyc",
    "pyvenv.cfg",
    "_virtpy.pth",
    ".virtpy/state.json",
    "bin/python",
    DIST_INFO + "/INSTALLER",
    DIST_INFO + "/RECORD",
    DIST_INFO + "/RECORD.jws",
    DIST_INFO + "/direct_url.json",
    DIST_INFO + "/evil",
    "other-1.0.dist-info/METADATA",
    "DEMO-1.0.dist-info/METADATA",
    "demo-1.0.DIST-INFO/RECORD",
    "demo-1.0.data/scripts/tool2",
    "demo-1.0.data/scripts/python",
    "demo-1.0.data/scripts/a/b",
    "demo-1.0.data/data/pyvenv.cfg",
    "demo-1.0.data/data/share/x",
    "demo-1.0.data/data/bin/python",
    "demo-1.0.data/data/../x",
    "demo-1.0.data/evil/x",
    "demo-1.0.data/x",
    "demo-1.0.data/purelib/more.py",
    "demo-1.0.data/platlib/demo/part.py",
    "demo-1.0.data/headers/more.h",
    "Demo-1.0.data/purelib/more.py",
    "demo-2.0.data/purelib/more.py",
    "x" * 256,
    "deep/" * 220 + "x",
]
NUMBERS = [0, 1, 2, 7, 8, 9, 12, 14, 0x20, 0x21, 0x41, 0x7F, 0x800, 0x7FFF, 0xFFFE, 0xFFFF]
LONG_NUMBERS = NUMBERS + [0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]

LOCAL = ("version", "flags", "method", "time", "date", "crc", "packed", "size")
CENTRAL = ("made", "version", "flags", "method", "time", "date", "crc", "packed", "size")
LOCAL_FORMAT, CENTRAL_FORMAT, END_FORMAT = "<4s5H3L2H", "<4s6H3L5H2L", "<4s4H2LH"


class Member:
    """A member with a local and a central header that can differ in every field."""

    def __init__(self, name, content, deflated=False, mode=0o100644):
        self.content = content
        self.data = self.deflate(content) if deflated else content
        fields = dict(version=20, flags=0x800, method=8 if deflated else 0, time=0, date=0x21)
        fields.update(crc=zlib.crc32(content), packed=len(self.data), size=len(content))
        self.local = dict(fields, name=name.encode(), extra=b"")
        self.central = dict(fields, made=0x314, name=name.encode(), extra=b"", comment=b"")
        self.central.update(disk=0, internal=0, external=mode << 16, offset=None)
        self.after = b""

    @staticmethod
    def deflate(content):
        """The content as a raw deflate stream."""
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(content) + packer.flush()

    def set_name(self, name):
        """Gives the member another name in both headers."""
        self.local["name"] = self.central["name"] = name.encode()

    def replace(self, content):
        """Gives the member another content, stored."""
        self.content = self.data = content
        for header in (self.local, self.central):
            header.update(method=0, crc=zlib.crc32(content), packed=len(content), size=len(content))

    def stream(self, signed, long):
        """Puts checksum and sizes behind the data, as who writes to a pipe does."""
        for header in (self.local, self.central):
            header["flags"] |= 8
        self.local.update(crc=0, packed=0, size=0)
        form = "<LQQ" if long else "<LLL"
        values = struct.pack(form, self.central["crc"], self.central["packed"], self.central["size"])
        self.after = (b"PK\x07\x08" if signed else b"") + values

    def local_bytes(self):
        """The local header, the data and what follows."""
        head = self.local
        values = [head[field] for field in LOCAL] + [len(head["name"]), len(head["extra"])]
        return (
            struct.pack(LOCAL_FORMAT, b"PK\x03\x04", *values)
            + head["name"]
            + head["extra"]
            + self.data
            + self.after
        )

    def central_bytes(self, offset):
        """The header in the central directory, for a member at this place."""
        head = self.central
        values = [head[field] for field in CENTRAL]
        values += [len(head["name"]), len(head["extra"]), len(head["comment"])]
        values += [head["disk"], head["internal"], head["external"]]
        values.append(offset if head["offset"] is None else head["offset"])
        fixed = struct.pack(CENTRAL_FORMAT, b"PK\x01\x02", *values)
        return fixed + head["name"] + head["extra"] + head["comment"]


class Wheel:
    """Members and what surrounds them."""

    def __init__(self, deflated=False, odd=False):
        files = [
            ("demo/__init__.py", "def main(): print('demo')\n"),
            ("demo/part.py", "class Class: run = print\n" * 9),
        ]
        files += [("demo/empty.py", ""), ("demo-1.0.data/scripts/tool", "#!python\nprint('tool')\n")]
        if odd:
            files += [
                ("demo-1.0.data/data/share/demo/x.txt", "x\n"),
                ("demo-1.0.data/headers/demo.h", "int x;\n"),
            ]
            files += [
                ("demo-1.0.data/purelib/more.py", "more = 1\n"),
                ('demo/\u00fcml\u00e4ut,"x".txt', "y\n"),
            ]
            files += [(DIST_INFO + "/licenses/LICENSE", "free\n"), ("demo/sub/", "")]
        files += [(DIST_INFO + "/METADATA", METADATA), (DIST_INFO + "/WHEEL", WHEEL)]
        files += [(DIST_INFO + "/entry_points.txt", ENTRY_POINTS)]
        self.members = [Member(name, text.encode(), deflated and bool(text)) for name, text in files]
        self.order = None
        self.rows = None
        self.prefix = self.gap = self.suffix = self.comment = b""
        self.end = {}

    def find(self, end):
        """The member whose name ends so."""
        return next(member for member in self.members if member.local["name"].endswith(end.encode()))

    def record(self):
        """The rows of RECORD: path, hash and size of each file."""
        rows = []
        for member in self.members:
            name = member.central["name"].decode("utf-8", "replace")
            if not name.endswith("/"):
                digest = base64.urlsafe_b64encode(hashlib.sha256(member.content).digest()).rstrip(b"=")
                rows.append([name, "sha256=" + digest.decode(), str(len(member.content))])
        return rows + [[DIST_INFO + "/RECORD", "", ""]]

    def build(self):
        """The bytes of the archive."""
        rows = self.record() if self.rows is None else self.rows
        quote = '"%s"'
        lines = [
            ",".join(quote % f.replace('"', '""') if set(f) & set(',"\n') else f for f in row) for row in rows
        ]
        record = Member(DIST_INFO + "/RECORD", ("\n".join(lines) + "\n").encode("utf-8", "replace"))
        members = self.members + [record]
        out, places = self.prefix, []
        for member in members:
            places.append(len(out))
            out += member.local_bytes()
        out += self.gap
        order = range(len(members)) if self.order is None else self.order
        directory = b"".join(members[index].central_bytes(places[index]) for index in order)
        count = len(list(order))
        end = dict(disk=0, start_disk=0, here=count, count=count, size=len(directory), start=len(out))
        end.update(comment=len(self.comment))
        end.update(self.end)
        return (
            out
            + directory
            + struct.pack(END_FORMAT, b"PK\x05\x06", *end.values())
            + self.comment
            + self.suffix
        )


def flip_bits(random, wheel):
    """One to three bits anywhere, most of them in the directory and the end record."""
    content = bytearray(wheel.build())
    low = content.index(b"PK\x01\x02") if random.random() < 0.6 else 0
    for _ in range(random.randint(1, 3)):
        content[random.randrange(low, len(content))] ^= 1 << random.randrange(8)
    return bytes(content)


def truncate(random, wheel):
    """Cut off at the end, at the start, or a piece out of the middle."""
    content = wheel.build()
    one, other = sorted(random.randrange(len(content)) for _ in range(2))
    return random.choice([content[:one], content[one:], content[:one] + content[other:]])


def change_field(random, wheel):
    """A number of a header, in one of the two or in both."""
    member = random.choice(wheel.members)
    fields = LOCAL + ("external", "offset", "disk", "internal", "made")
    field = random.choice(fields)
    is_long = field in ("crc", "packed", "size", "external", "offset")
    value = random.choice(LONG_NUMBERS if is_long else NUMBERS)
    if field == "external":
        value = random.choice([0o120777, 0o040755, 0o020644, 0o010644, 0o100755, 0o755, 0o104755, 0]) << 16
    headers = random.choice([[member.local], [member.central], [member.local, member.central]])
    for header in headers:
        if field in header:
            header[field] = value
    return wheel.build()


def change_name(random, wheel):
    """A hostile name, in one header or in both, listed in RECORD or not."""
    member = random.choice(wheel.members[:4])
    name = random.choice(NAMES).encode()
    if random.random() < 0.2:
        wheel.rows = wheel.record()
    which = random.random()
    if which < 0.7:
        member.local["name"] = member.central["name"] = name
    elif which < 0.85:
        member.local["name"] = name
    else:
        member.central["name"] = name
    if random.random() < 0.15:
        member.local["flags"] &= ~0x800
        member.central["flags"] &= ~0x800
    return wheel.build()


def add_member(random, wheel):
    """One more file with a hostile name."""
    extra = Member(random.choice(NAMES), b"evil\n", mode=random.choice([0o100644, 0o100755, 0o120777, 0]))
    if random.random() < 0.2:
        wheel.rows = wheel.record()
    wheel.members.insert(random.randrange(len(wheel.members) + 1), extra)
    return wheel.build()


def change_extra(random, wheel):
    """An extra field: a second name, 64-bit sizes, one that is cut off or there twice."""
    member = random.choice(wheel.members)

    def field(kind, data):
        return struct.pack("<HH", kind, len(data)) + data

    def path(name):
        return field(0x7075, struct.pack("<BL", 1, zlib.crc32(member.central["name"])) + name)

    size, packed = member.central["size"], member.central["packed"]
    extra = random.choice(
        [
            path(b"evil.py"),
            path(member.central["name"]),
            path(b"../evil.py"),
            field(0x7075, b"\1"),
            field(1, struct.pack("<QQ", size, packed)),
            field(1, struct.pack("<QQ", size + 1, packed)),
            field(1, struct.pack("<Q", size)),
            field(1, b""),
            field(1, struct.pack("<QQ", size, packed)) * 2,
            field(0x5455, b"\0\1\2\3\4"),
            field(0xCAFE, b""),
            b"\0",
            b"\1\0\x08\0\0",
            b"\1\0\xff\xff",
            b"PK\5\6" * 8,
        ]
    )
    for header in random.choice([[member.local], [member.central], [member.local, member.central]]):
        header["extra"] = extra
        if random.random() < 0.4:
            header["size"] = 0xFFFFFFFF
            if random.random() < 0.7:
                header["packed"] = 0xFFFFFFFF
    return wheel.build()


def change_frame(random, wheel):
    """The end record, what is before, between and after, a second archive."""
    other = Wheel()
    other.members[0].replace(b"evil\n")
    second = other.build()
    garbage = random.choice(
        [b"\0", b"garbage", b"PK\x05\x06", second, b"#!/bin/sh\n", b"PK\x06\x07" + bytes(16)]
    )
    choice = random.randrange(7)
    if choice == 0:
        wheel.prefix = garbage
    elif choice == 1:
        wheel.gap = garbage
    elif choice == 2:
        wheel.suffix = garbage
    elif choice == 3:
        wheel.comment = garbage
        if random.random() < 0.3:
            wheel.end["comment"] = random.choice([0, 1, len(garbage) + 1, 0xFFFF])
    elif choice == 4:
        random.choice(wheel.members).after = garbage
    elif choice == 5:
        field = random.choice(["disk", "start_disk", "here", "count"])
        wheel.end[field] = random.choice(NUMBERS)
    else:
        wheel.end[random.choice(["size", "start"])] = random.choice(LONG_NUMBERS)
    return wheel.build()


def change_order(random, wheel):
    """The directory in another order, with an entry left out or there twice."""
    order = list(range(len(wheel.members) + 1))
    choice = random.randrange(3)
    if choice == 0:
        random.shuffle(order)
    elif choice == 1:
        order.remove(random.choice(order))
    else:
        order.append(random.choice(order))
    wheel.order = order
    return wheel.build()


def stream_members(random, wheel):
    """Sizes behind the data, sometimes wrong."""
    for member in wheel.members:
        if random.random() < 0.5 and not member.local["name"].endswith(b"/"):
            member.stream(random.random() < 0.5, random.random() < 0.3)
            if random.random() < 0.1:
                member.after = member.after[:-1] + bytes([random.randrange(256)])
    return wheel.build()


def change_record(random, wheel):
    """Rows left out, added, doubled, with other hashes, sizes and spellings."""
    rows = wheel.record()
    row = random.choice(rows)
    choice = random.randrange(8)
    if choice == 0:
        rows.remove(row)
    elif choice == 1:
        rows.append([random.choice(NAMES), random.choice(["", row[1]]), random.choice(["", "0", row[2]])])
    elif choice == 2:
        rows.append(list(row))
    elif choice == 3:
        row[1] = random.choice(
            ["", "sha256=", "sha256=AAAA", "md5=abcd", "sha1=abcd", "x=y", "nothing", row[1] + "="]
        )
    elif choice == 4:
        row[2] = random.choice(["", "0", "-1", "1.0", "many", " 7", "99999999999999999999"])
    elif choice == 5:
        row[0] = random.choice(
            ["./" + row[0], "/" + row[0], row[0].upper(), row[0].replace("/", "\\"), row[0] + " "]
        )
    elif choice == 6:
        row.extend(random.choice([["more"], [""]]))
    else:
        random.shuffle(rows)
    wheel.rows = rows
    return wheel.build()


def change_metadata(random, wheel):
    """METADATA, WHEEL and entry points that say something else."""
    file, old, new = random.choice(
        [
            ("METADATA", "Name: demo", "Name: evil"),
            ("METADATA", "Name: demo", "Name: ../demo"),
            ("METADATA", "Name: demo", ""),
            ("METADATA", "Name: demo", "Name: Demo"),
            ("METADATA", "Version: 1.0", "Version: 2.0"),
            ("METADATA", "Version: 1.0", "Version: 1.0.0"),
            ("METADATA", "Version: 1.0", "Version: x/../y"),
            ("METADATA", "Name: demo", "Name: demo\nName: evil"),
            ("METADATA", "2.1", "9.9"),
            ("WHEEL", "Wheel-Version: 1.0", "Wheel-Version: 2.0"),
            ("WHEEL", "Wheel-Version: 1.0", ""),
            ("WHEEL", "Wheel-Version: 1.0", "Wheel-Version: 1.9"),
            ("WHEEL", "true", "false"),
            ("WHEEL", "true", "maybe"),
            ("entry_points.txt", "demo-tool", "../evil"),
            ("entry_points.txt", "demo-tool", "python"),
            ("entry_points.txt", "demo-tool", "a/b"),
            ("entry_points.txt", "demo-tool", "-rf"),
            ("entry_points.txt", "demo-tool", ""),
            ("entry_points.txt", "demo:main", "demo"),
            ("entry_points.txt", "demo:main", "demo:main()"),
            ("entry_points.txt", "demo:main", "de mo:main"),
            ("entry_points.txt", "demo:main", "demo:main;x"),
            ("entry_points.txt", "console_scripts", "gui_scripts"),
            ("entry_points.txt", "console_scripts", "other"),
            ("entry_points.txt", "[extra]", "[extra"),
            ("entry_points.txt", "demo.other", "demo-tool"),
            ("entry_points.txt", "[console", "nonsense\n[console"),
        ]
    )
    member = wheel.find(file)
    member.replace(member.content.decode().replace(old, new).encode())
    return wheel.build()


MUTATORS = [
    flip_bits,
    truncate,
    change_field,
    change_field,
    change_name,
    add_member,
    change_extra,
    change_frame,
    change_order,
    stream_members,
    change_record,
    change_metadata,
]


def wheels(random, count):
    """Pairs of what was done and the wheel: the sound ones first, then mutants."""
    bases = [{}, {"deflated": True}, {"odd": True}, {"deflated": True, "odd": True}]
    for base in bases:
        yield "sound", Wheel(**base).build()
    for number in range(count - len(bases)):
        mutator = MUTATORS[number % len(MUTATORS)]
        yield mutator.__name__, mutator(random, Wheel(**random.choice(bases)))
