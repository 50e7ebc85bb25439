"""pause: the program that holds a pod's namespaces, written straight as a 64-bit ELF file.

It blocks SIGTERM, SIGINT and SIGCHLD and waits for one of them: a child that ended is reaped (it is process 1 of a shared
process namespace), anything else ends it with exit code 0. As process 1 it must take the signals itself: the kernel gives an
init process no default actions, and a pause that ignored SIGTERM would cost every pod its full grace period.
Source of the idea: https://github.com/kubernetes/kubernetes/tree/master/build/pause
"""

import platform
import struct

SIGNALS = 1 << (2 - 1) | 1 << (15 - 1) | 1 << (17 - 1)  # INT, TERM, CHLD, as a kernel sigset
BASE = 0x400000  # the usual load address of a static x86-64 program
HEADERS = 64 + 56  # ELF header and one program header, in bytes


def program() -> bytes:
    """The ELF file. Raises RuntimeError on a machine that is not x86-64."""
    if platform.machine() not in ("x86_64", "AMD64"):
        raise RuntimeError(f"the pause program is written for x86-64, this machine is {platform.machine()}")
    code = _assemble(_CODE)
    size = HEADERS + len(code)
    elf_header = b"\x7fELF\x02\x01\x01" + bytes(9)  # 64-bit, little-endian, version 1, System V
    elf_header += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, BASE + HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    program_header = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, size, size, 0x1000)  # PT_LOAD, read and execute
    return elf_header + program_header + code


# One instruction a line; (opcode, label) is a short jump to the label.
_CODE: tuple[bytes | str | tuple[int, str], ...] = (
    b"\x68" + struct.pack("<I", SIGNALS),  # push SIGNALS       the set, on the stack
    b"\x48\x89\xe3",                       # mov rbx, rsp       its address, kept over system calls
    b"\xb8\x0e\x00\x00\x00",               # mov eax, 14        rt_sigprocmask(
    b"\x31\xff",                           # xor edi, edi         SIG_BLOCK,
    b"\x48\x89\xde",                       # mov rsi, rbx         the set,
    b"\x31\xd2",                           # xor edx, edx         no old set,
    b"\x41\xba\x08\x00\x00\x00",           # mov r10d, 8          8 bytes)
    b"\x0f\x05",                           # syscall
    "wait",
    b"\xb8\x80\x00\x00\x00",               # mov eax, 128       rt_sigtimedwait(
    b"\x48\x89\xdf",                       # mov rdi, rbx         the set,
    b"\x31\xf6",                           # xor esi, esi         no details,
    b"\x31\xd2",                           # xor edx, edx         no time limit,
    b"\x41\xba\x08\x00\x00\x00",           # mov r10d, 8          8 bytes)
    b"\x0f\x05",                           # syscall
    b"\x83\xf8\x11",                       # cmp eax, 17        a child ended?
    (0x75, "other"),                       # jne other
    "reap",
    b"\xb8\x3d\x00\x00\x00",               # mov eax, 61        wait4(
    b"\x48\x83\xcf\xff",                   # or rdi, -1           any child,
    b"\x31\xf6",                           # xor esi, esi         no status,
    b"\xba\x01\x00\x00\x00",               # mov edx, 1           WNOHANG,
    b"\x45\x31\xd2",                       # xor r10d, r10d       no usage)
    b"\x0f\x05",                           # syscall
    b"\x85\xc0",                           # test eax, eax
    (0x7F, "reap"),                        # jg reap            one was reaped: look for more
    (0xEB, "wait"),                        # jmp wait
    "other",
    b"\x85\xc0",                           # test eax, eax
    (0x78, "wait"),                        # js wait            interrupted (stopped and continued)
    b"\xb8\x3c\x00\x00\x00",               # mov eax, 60        exit(
    b"\x31\xff",                           # xor edi, edi         0)
    b"\x0f\x05",                           # syscall
)  # fmt: skip


def _assemble(code: tuple[bytes | str | tuple[int, str], ...]) -> bytes:
    """Put the instructions one after another and fill in the distances of the jumps."""
    labels: dict[str, int] = {}
    at = 0
    for part in code:
        if isinstance(part, str):
            labels[part] = at
        else:
            at += len(part)  # a jump (opcode, label) has length 2 as an instruction, too
    out = bytearray()
    for part in code:
        if isinstance(part, bytes):
            out += part
        elif isinstance(part, tuple):
            opcode, label = part
            out += struct.pack("<Bb", opcode, labels[label] - (len(out) + 2))
    return bytes(out)
