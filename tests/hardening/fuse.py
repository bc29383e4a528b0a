"""A file system in user space, over another folder: with locks that work, or with none, as on some network file systems.

It speaks the kernel's own protocol, so it needs nothing but root and `/dev/fuse`. It is slow, and does one thing after the other.
"""

import contextlib
import ctypes
import errno
import os
import stat
import struct
import subprocess
import sys
import time

# Where requests come from.
DEVICE = "/dev/fuse"

HEADER = struct.Struct("<IIQQIIII")
ATTRIBUTES = struct.Struct("<QQQQQQIIIIIIIIII")
SET = struct.Struct("<IIQQQQQQIIIIIIII")

# What the kernel is told in the beginning: whole pages are written, and who asks for a lock.
BIG_WRITES, FLOCKS = 1 << 5, 1 << 10

# How much is written at once.
LARGEST_WRITE = 128 * 1024

LIBC = ctypes.CDLL(None, use_errno=True)


class Refused(OSError):
    """The system refused something."""


def called(result):
    """The result of a function of C."""
    if result < 0:
        number = ctypes.get_errno()
        raise Refused(number, os.strerror(number))
    return result


class Mirror:
    """The files of another folder, by the numbers that the kernel has for them."""

    def __init__(self, root, has_locks, is_read_only):
        self.root, self.has_locks, self.is_read_only = root, has_locks, is_read_only
        self.paths, self.numbers = {1: b"."}, {b".": 1}
        self.listings = {}

    def real(self, path):
        """Where something really is."""
        return os.path.join(self.root, path)

    def path(self, number):
        """Where something really is that the kernel names."""
        return self.real(self.paths[number])

    def child(self, number, name):
        """The path of something in a folder."""
        return os.path.normpath(os.path.join(self.paths[number], name.rstrip(b"\0")))

    def entry(self, path):
        """What the kernel is told of something that it asked for by its name."""
        facts = os.lstat(self.real(path))
        if path not in self.numbers:
            self.numbers[path] = len(self.paths) + 1
            self.paths[self.numbers[path]] = path
        return struct.pack("<QQQQII", self.numbers[path], 0, 0, 0, 0, 0) + self.attributes(facts)

    @staticmethod
    def attributes(facts):
        """What is known of a file."""
        times = (facts.st_atime_ns, facts.st_mtime_ns, facts.st_ctime_ns)
        return ATTRIBUTES.pack(
            facts.st_ino, facts.st_size, facts.st_blocks, *[one // 10**9 for one in times], *[one % 10**9 for one in times],
            facts.st_mode, facts.st_nlink, facts.st_uid, facts.st_gid, 0, 4096, 0)

    def answer_attributes(self, facts):
        """The same as an answer."""
        return struct.pack("<QII", 0, 0, 0) + self.attributes(facts)

    def give(self, path, user, group):
        """What somebody makes is theirs."""
        os.lchown(self.real(path), user, group)
        return self.entry(path)

    def rename(self, old, new, flags):
        """Moves something, or exchanges two."""
        called(LIBC.renameat2(-100, self.real(old), -100, self.real(new), flags))
        moved = {}
        for number, path in self.paths.items():
            for start, other in ((old, new), (new, old)) if flags & 2 else ((old, new),):
                if path == start or path.startswith(start + b"/"):
                    moved[number] = other + path[len(start):]
                    break
        for number in moved:
            self.numbers.pop(self.paths[number], None)
        for number, path in moved.items():
            # What stood there before is reached no more.
            self.paths[number], self.numbers[path] = path, number

    def set(self, number, body):
        """Changes what is known of a file."""
        (valid, _, handle, size, _, read_at, changed_at, _, read_nano, changed_nano, _, mode, _, user, group, _) = SET.unpack(
            body[:SET.size])
        path = self.path(number)
        if valid & 1:
            os.chmod(path, stat.S_IMODE(mode))
        if valid & 6:
            os.lchown(path, user if valid & 2 else -1, group if valid & 4 else -1)
        if valid & 8:
            os.truncate(handle if valid & 64 else path, size)
        if valid & 48:
            facts, now = os.lstat(path), time.time_ns()
            times = [facts.st_atime_ns, facts.st_mtime_ns]
            if valid & 16:
                times[0] = now if valid & 128 else read_at * 10**9 + read_nano
            if valid & 32:
                times[1] = now if valid & 256 else changed_at * 10**9 + changed_nano
            os.utime(path, ns=tuple(times), follow_symlinks=False)
        return self.answer_attributes(os.lstat(path))

    def listing(self, handle, offset, size):
        """A part of what is in a folder."""
        found = b""
        for place, (name, number, kind) in enumerate(self.listings[handle][offset:], offset + 1):
            one = struct.pack("<QQII", number, place, len(name), kind) + name
            one += b"\0" * (-len(one) % 8)
            if len(found) + len(one) > size:
                break
            found += one
        return found

    def open_folder(self, number):
        """Reads a folder once, for all who list it."""
        handle = max(self.listings, default=0) + 1
        with os.scandir(self.path(number)) as entries:
            kinds = [(one.name, one.inode(), stat.S_IFMT(one.stat(follow_symlinks=False).st_mode) >> 12) for one in entries]
        self.listings[handle] = [(b".", 1, 4), (b"..", 1, 4)] + kinds
        return struct.pack("<QII", handle, 0, 0)

    def answer(self, code, number, body, user, group):
        """What one request is answered with; nothing if nobody waits."""
        if code in (2, 36, 42):
            return None
        if self.is_read_only and code in (4, 6, 8, 9, 10, 11, 12, 13, 16, 35, 45):
            raise OSError(errno.EROFS, "")
        if code == 1:
            return self.entry(self.child(number, body))
        if code == 3:
            flags, _, handle = struct.unpack("<IIQ", body[:16])
            return self.answer_attributes(os.fstat(handle) if flags & 1 else os.lstat(self.path(number)))
        if code == 4:
            return self.set(number, body)
        if code == 5:
            return os.readlink(self.path(number))
        if code == 6:
            name, target = body.split(b"\0")[:2]
            os.symlink(target, self.real(self.child(number, name)))
            return self.give(self.child(number, name), user, group)
        if code == 9:
            mode, umask = struct.unpack("<II", body[:8])
            os.mkdir(self.real(self.child(number, body[8:])), stat.S_IMODE(mode) & ~umask)
            return self.give(self.child(number, body[8:]), user, group)
        if code in (10, 11):
            path = self.child(number, body)
            (os.unlink if code == 10 else os.rmdir)(self.real(path))
            self.numbers.pop(path, None)
            return b""
        if code in (12, 45):
            (folder, flags), names = struct.unpack("<QI", body[:12]), body[8 if code == 12 else 16:]
            old, new = names.split(b"\0")[:2]
            self.rename(self.child(number, old), self.child(folder, new), flags if code == 45 else 0)
            return b""
        if code == 13:
            (other,), path = struct.unpack("<Q", body[:8]), self.child(number, body[8:])
            os.link(self.path(other), self.real(path), follow_symlinks=False)
            return self.entry(path)
        return self.answer_of_open(code, number, body, user, group)

    def answer_of_open(self, code, number, body, user, group):
        """The same for what is done with open files and folders."""
        if code == 14:
            (flags,) = struct.unpack("<I", body[:4])
            return struct.pack("<QII", os.open(self.path(number), flags & ~(os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)), 0, 0)
        if code == 35:
            flags, mode, umask, _ = struct.unpack("<IIII", body[:16])
            path = self.child(number, body[16:])
            handle = os.open(self.real(path), flags | os.O_CREAT, stat.S_IMODE(mode) & ~umask)
            return self.give(path, user, group) + struct.pack("<QII", handle, 0, 0)
        if code == 15:
            handle, offset, size = struct.unpack("<QQI", body[:20])
            return os.pread(handle, size, offset)
        if code == 16:
            handle, offset, size = struct.unpack("<QQI", body[:20])
            return struct.pack("<II", os.pwrite(handle, body[40:40 + size], offset), 0)
        if code == 17:
            facts = os.statvfs(self.root)
            return struct.pack("<QQQQQIIII6I", facts.f_blocks, facts.f_bfree, facts.f_bavail, facts.f_files, facts.f_ffree,
                               facts.f_bsize, 255, facts.f_frsize, 0, *[0] * 6)
        if code == 18:
            os.close(struct.unpack("<Q", body[:8])[0])
            return b""
        if code in (20, 25, 30, 50):
            return b""
        if code == 27:
            return self.open_folder(number)
        if code == 28:
            return self.listing(*struct.unpack("<QQI", body[:20]))
        if code == 29:
            self.listings.pop(struct.unpack("<Q", body[:8])[0], None)
            return b""
        if code in (31, 32, 33):
            raise OSError(errno.ENOLCK, "")
        raise OSError(errno.ENOSYS, "")

    def greeting(self, body):
        """What the kernel is told in the beginning."""
        major, minor, ahead, _ = struct.unpack("<IIII", body[:16])
        flags = BIG_WRITES | (0 if self.has_locks else FLOCKS)
        return struct.pack("<IIIIHHIIHHI7I", major, min(minor, 31), ahead, flags, 12, 9, LARGEST_WRITE, 1, 0, 0, 0, *[0] * 7)


def serve(device, mirror):
    """Answers until the file system is unmounted."""
    while True:
        try:
            request = os.read(device, LARGEST_WRITE + 4096 * 4)
        except OSError as error:
            if error.errno in (errno.EINTR, errno.ENOENT):
                continue
            return
        _, code, unique, number, user, group, _, _ = HEADER.unpack(request[:HEADER.size])
        body = request[HEADER.size:]
        try:
            answer = mirror.greeting(body) if code == 26 else mirror.answer(code, number, body, user, group)
            problem = 0
        except OSError as error:
            answer, problem = b"", -(error.errno or errno.EIO)
        except KeyError:
            answer, problem = b"", -errno.ESTALE
        if answer is not None:
            with contextlib.suppress(OSError):
                os.write(device, struct.pack("<IiQ", 16 + len(answer), problem, unique) + answer)


@contextlib.contextmanager
def mounted(source, target, has_locks=True, is_read_only=False):
    """A folder is seen through such a file system at another path, which may be its own."""
    words = [sys.executable, os.path.abspath(__file__), str(source), str(target)]
    words += ["locks"] * has_locks + ["read-only"] * is_read_only
    server = subprocess.Popen(words, stdout=subprocess.PIPE, universal_newlines=True)
    try:
        if server.stdout.readline() != "mounted\n":
            raise RuntimeError("the file system was not mounted")
        yield
    finally:
        subprocess.run(["umount", str(target)], check=False, stderr=subprocess.DEVNULL)
        server.wait(timeout=60)
        server.stdout.close()


def main(source, target, *options):
    """Mounts and serves. The folder is held before something else is mounted there."""
    held = os.open(source, os.O_PATH | os.O_DIRECTORY)
    os.umask(0)
    device = os.open(DEVICE, os.O_RDWR)
    how = "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions" % device
    called(LIBC.mount(b"virtpy-test", target.encode(), b"fuse", 6, how.encode()))
    print("mounted", flush=True)
    serve(device, Mirror(b"/proc/self/fd/%d" % held, "locks" in options, "read-only" in options))


def is_possible(folder):
    """Whether it can be had here; the folder is empty."""
    if os.geteuid() != 0 or not os.path.exists(DEVICE):
        return False
    source = os.path.join(str(folder), "source")
    target = os.path.join(str(folder), "target")
    os.mkdir(source)
    os.mkdir(target)
    try:
        with mounted(source, target):
            return True
    except RuntimeError:
        return False


if __name__ == "__main__":
    main(*sys.argv[1:])
