"""The system calls that a sample may not make, as a seccomp filter (classic BPF, man 2 seccomp).

Threads are allowed. Forbidden are:

- calls that make processes or run other programs, so there is no fork bomb, and nothing outlives a sample;
- sockets, because a network namespace does not isolate AF_VSOCK, a virtual machine's way to its host;
- shared memory that no limit of a process counts;
- parts of the kernel that no program of a benchmark needs and that most kernel attacks used.
"""

from __future__ import annotations

import ctypes
import errno
import platform

# By the kernel's name: the numbers on x86_64 and aarch64 (asm/unistd_64.h, asm-generic/unistd.h).
_FORBIDDEN: dict[str, tuple[int, int]] = {
    "execve": (59, 221), "execveat": (322, 281), "socket": (41, 198), "ptrace": (101, 117), "unshare": (272, 97), "setns": (308, 268),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "semget": (64, 190),
    "msgget": (68, 186), "mq_open": (240, 180), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "fanotify_init": (300, 262), "syslog": (103, 116), "personality": (135, 92),
    "pidfd_getfd": (438, 438),
}  # fmt: skip
_FORKS = (57, 58)  # fork and vfork of x86_64; aarch64 has neither
_CLONE = (56, 220)
_CLONE3 = 435
_NEWEST = 450  # higher numbers are calls that this list does not cover
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_THREAD = 0x00010000  # CLONE_THREAD
_NEW_NAMESPACE = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET

_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_GREATER, _JUMP_IF_SET, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data; both machines are little-endian
_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000


class _Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("if_true", ctypes.c_uint8), ("if_false", ctypes.c_uint8), ("value", ctypes.c_uint32)]


class Filter(ctypes.Structure):
    """The struct `sock_fprog`, as prctl(PR_SET_SECCOMP) takes it."""

    _fields_ = [("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction))]


def system_call_filter() -> Filter:
    """Return the filter for this machine.

    Raises:
        OSError: the system call numbers of this architecture are not in the table.
    """
    try:
        column, architecture = _ARCHITECTURES[platform.machine()]
    except KeyError:
        raise OSError(f"programs are run on {' and '.join(_ARCHITECTURES)} only, not on {platform.machine()}") from None
    denied = _ERROR | errno.EPERM
    # On ENOSYS a C library falls back on older calls. clone3 gets it too: its flags are in memory, which no filter can read.
    unknown = _ERROR | errno.ENOSYS
    lines = [
        # A wrong architecture is killed: on x86_64, 32-bit calls have other numbers and would bypass the list.
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_IF_GREATER, 0, 1, _NEWEST),
        (_RETURN, 0, 0, unknown),
        (_JUMP_IF_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, unknown),
    ]
    numbers = [call[column] for call in _FORBIDDEN.values()] + list(_FORKS if column == 0 else ())
    for number in numbers:
        lines += [(_JUMP_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, denied)]
    lines += [  # clone may start a thread, but no process and no namespace
        (_JUMP_IF_EQUAL, 0, 4, _CLONE[column]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_IF_SET, 1, 0, _NEW_NAMESPACE),
        (_JUMP_IF_SET, 1, 0, _THREAD),
        (_RETURN, 0, 0, denied),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return Filter(len(lines), (_Instruction * len(lines))(*(_Instruction(*line) for line in lines)))
