"""Compiles the modules that it is told, one after the other, and hands the bytecode back.

virtpy starts it as `python -I -S -B -W ignore -c <this text>`, writes a line with two paths (the source, and the name that
the code is to carry) and reads the answer: a line `compiled SOURCE SIZE`, with the SHA-256 of the source that was compiled, as
RECORD writes it, followed by SIZE bytes, the content of a `.pyc` file; or the line `failed` for what does not compile, such as a template or
code for another Python. It writes no file itself. The end of its input is its end. It imports only the standard library,
as little of it as can be, and runs on Python 3.7 and newer.
"""

import binascii
import hashlib
import importlib.util
import marshal
import os
import signal
import sys

# Seconds that one module may take. A process that the alarm ends is started again for the next one.
PATIENCE = 120

# The second field of a `.pyc` file (PEP 552): validated by a hash, which is never compared with the source.
UNCHECKED_HASH = (1).to_bytes(4, "little")

# From the usual base64 to that of RECORD.
URL_SAFE = bytes.maketrans(b"+/", b"-_")


def compiled(path, name):
    """The source's digest and the content of its `.pyc` file."""
    with open(path, "rb") as file:
        source = file.read()
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    body = marshal.dumps(code)
    marshal.loads(body)
    head = importlib.util.MAGIC_NUMBER + UNCHECKED_HASH + importlib.util.source_hash(source)
    digest = binascii.b2a_base64(hashlib.sha256(source).digest(), newline=False)
    return digest.rstrip(b"=").translate(URL_SAFE), head + body


def serve(requests, answers):
    for line in requests:
        path, name = line.rstrip(b"\n").split(b"\t")
        signal.alarm(PATIENCE)
        try:
            digest, content = compiled(os.fsdecode(path), os.fsdecode(name))
        except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError, UnicodeError, TypeError):
            answers.write(b"failed\n")
        else:
            answers.write(b"compiled %s %d\n" % (digest, len(content)))
            answers.write(content)
        answers.flush()
        signal.alarm(0)


# A parent that was killed leaves a broken pipe, and that is all there is to say about it.
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
serve(sys.stdin.buffer, sys.stdout.buffer)
