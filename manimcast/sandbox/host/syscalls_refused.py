"""Which system calls a render may not make, why, and what they return: every known call that is not in ``syscalls``.

EPERM says that it is not permitted. ENOSYS, as from a kernel that does not have the call, is for those where programs
know another way and take it only then. Data only, like ``syscalls``.
"""

from __future__ import annotations

from dataclasses import dataclass

from manimcast.sandbox.host.syscalls import Answer, Call


@dataclass(frozen=True)
class Refusal:
    """Refused calls of one kind, why, and what they return."""

    title: str
    reason: str
    answer: Answer
    calls: tuple[Call, ...]


REFUSED: tuple[Refusal, ...] = (
    Refusal(
        "Other processes",
        "A process does not read, steer or inspect another one.",
        Answer.EPERM,
        (
            Call("ptrace", 101, 117),
            Call("process_vm_readv", 310, 270),
            Call("process_vm_writev", 311, 271),
            Call("pidfd_getfd", 438, 438),
            Call("kcmp", 312, 272),
            Call("get_robust_list", 274, 100),
            Call("rt_sigqueueinfo", 129, 138),
            Call("rt_tgsigqueueinfo", 297, 240),
        ),
    ),
    Refusal(
        "Other processes, newer calls",
        "The same; programs that try them know older ways.",
        Answer.ENOSYS,
        (
            Call("process_madvise", 440, 440),
            Call("process_mrelease", 448, 448),
            Call("pidfd_send_signal", 424, 424),
        ),
    ),
    Refusal(
        "Sessions, and advice about files",
        "A session of its own would give each process a share of the processors like the service's, and giving up a "
        "file's pages would show which files other renders read. Programs that ask for either do as well without.",
        Answer.DONE,
        (Call("setsid", 112, 157), Call("fadvise64", 221, 223)),
    ),
    Refusal(
        "Locks on whole files",
        "A file that all renders may read can be locked by who may only read it: a signal from one to another, "
        "and a hindrance to whoever locks it in earnest. Mesa's cache of shaders, which takes one, is switched off.",
        Answer.EPERM,
        (Call("flock", 73, 32),),
    ),
    Refusal(
        "Namespaces",
        "The way to capabilities inside a namespace of one's own, and so to most local exploits of the kernel.",
        Answer.EPERM,
        (
            Call("unshare", 272, 97),
            Call("setns", 308, 268),
        ),
    ),
    Refusal(
        "Calls with arguments in memory",
        "A filter cannot see what is asked for: new namespaces, setuid bits, files without a name. The C "
        "library then takes an older call, whose arguments can be checked.",
        Answer.ENOSYS,
        (
            Call("clone3", 435, 435),
            Call("openat2", 437, 437),
            Call("fchmodat2", 452, 452),
            Call("execveat", 322, 281),
        ),
    ),
    Refusal(
        "Mounts and roots",
        "What a render sees of the file system is settled before its code runs.",
        Answer.EPERM,
        (
            Call("mount", 165, 40),
            Call("umount2", 166, 39),
            Call("pivot_root", 155, 41),
            Call("chroot", 161, 51),
            Call("swapon", 167, 224),
            Call("swapoff", 168, 225),
            Call("quotactl", 179, 60),
        ),
    ),
    Refusal(
        "Mounts, newer calls",
        "The same.",
        Answer.ENOSYS,
        (
            Call("open_tree", 428, 428),
            Call("open_tree_attr", 467, 467),
            Call("move_mount", 429, 429),
            Call("fsopen", 430, 430),
            Call("fsconfig", 431, 431),
            Call("fsmount", 432, 432),
            Call("fspick", 433, 433),
            Call("mount_setattr", 442, 442),
            Call("statmount", 457, 457),
            Call("listmount", 458, 458),
            Call("listns", 470, 470),
            Call("quotactl_fd", 443, 443),
        ),
    ),
    Refusal(
        "Handles and special files",
        "A handle opens a file by its number on disk, past every directory's permissions. Nothing that "
        "draws makes devices, sockets or FIFOs.",
        Answer.EPERM,
        (
            Call("name_to_handle_at", 303, 264),
            Call("open_by_handle_at", 304, 265),
            Call("mknod", 133, None),
            Call("mknodat", 259, 33),
        ),
    ),
    Refusal(
        "Sockets",
        "No network of any family, and no socket of another program. A pair of connected ones is all that "
        "Python's libraries need.",
        Answer.EPERM,
        (
            Call("socket", 41, 198),
            Call("connect", 42, 203),
            Call("bind", 49, 200),
            Call("listen", 50, 201),
            Call("accept", 43, 202),
            Call("accept4", 288, 242),
            Call("setsockopt", 54, 208),
        ),
    ),
    Refusal(
        "Messages with attachments",
        "They could hand descriptors to the service, or address a socket by its path; what receives them "
        "has been a source of kernel bugs.",
        Answer.EPERM,
        (
            Call("sendmsg", 46, 211),
            Call("recvmsg", 47, 212),
            Call("sendmmsg", 307, 269),
            Call("recvmmsg", 299, 243),
        ),
    ),
    Refusal(
        "Files without a name",
        "A program in memory, which no rule about paths covers. Mesa and libffi do without.",
        Answer.EPERM,
        (
            Call("memfd_create", 319, 279),
            Call("memfd_secret", 447, 447),
        ),
    ),
    Refusal(
        "Programs in the kernel, tracing, asynchronous calls",
        "Large, young interfaces with a long record of exploits; io_uring also makes calls that no filter sees.",
        Answer.EPERM,
        (
            Call("bpf", 321, 280),
            Call("perf_event_open", 298, 241),
            Call("userfaultfd", 323, 282),
            Call("io_uring_setup", 425, 425),
            Call("io_uring_enter", 426, 426),
            Call("io_uring_register", 427, 427),
            Call("io_setup", 206, 0),
            Call("io_destroy", 207, 1),
            Call("io_submit", 209, 2),
            Call("io_getevents", 208, 4),
            Call("io_cancel", 210, 3),
            Call("io_pgetevents", 333, 292),
            Call("fanotify_init", 300, 262),
            Call("fanotify_mark", 301, 263),
            Call("lookup_dcookie", 212, 18),
            Call("uretprobe", 335, None),
            Call("uprobe", 336, None),
        ),
    ),
    Refusal(
        "Keys",
        "Keyrings belong to a user, so all renders would share them.",
        Answer.EPERM,
        (
            Call("add_key", 248, 217),
            Call("request_key", 249, 218),
            Call("keyctl", 250, 219),
        ),
    ),
    Refusal(
        "Identity",
        "A render stays who it is, and so do its files.",
        Answer.EPERM,
        (
            Call("setuid", 105, 146),
            Call("setgid", 106, 144),
            Call("setreuid", 113, 145),
            Call("setregid", 114, 143),
            Call("setresuid", 117, 147),
            Call("setresgid", 119, 149),
            Call("setfsuid", 122, 151),
            Call("setfsgid", 123, 152),
            Call("setgroups", 116, 159),
            Call("capset", 126, 91),
            Call("capget", 125, 90),
            Call("chown", 92, None),
            Call("fchown", 93, 55),
            Call("lchown", 94, None),
            Call("fchownat", 260, 54),
        ),
    ),
    Refusal(
        "Confinement itself",
        "It is complete before the code runs.",
        Answer.EPERM,
        (
            Call("seccomp", 317, 277),
            Call("landlock_create_ruleset", 444, 444),
            Call("landlock_add_rule", 445, 445),
            Call("landlock_restrict_self", 446, 446),
            Call("lsm_get_self_attr", 459, 459),
            Call("lsm_set_self_attr", 460, 460),
            Call("lsm_list_modules", 461, 461),
        ),
    ),
    Refusal(
        "Shared memory and queues in the kernel",
        "They outlive the processes that made them, and no limit on files counts them. Python's shared "
        "memory is made of files.",
        Answer.EPERM,
        (
            Call("shmget", 29, 194),
            Call("shmat", 30, 196),
            Call("shmctl", 31, 195),
            Call("shmdt", 67, 197),
            Call("semget", 64, 190),
            Call("semop", 65, 193),
            Call("semctl", 66, 191),
            Call("semtimedop", 220, 192),
            Call("msgget", 68, 186),
            Call("msgsnd", 69, 189),
            Call("msgrcv", 70, 188),
            Call("msgctl", 71, 187),
            Call("mq_open", 240, 180),
            Call("mq_unlink", 241, 181),
            Call("mq_timedsend", 242, 182),
            Call("mq_timedreceive", 243, 183),
            Call("mq_notify", 244, 184),
            Call("mq_getsetattr", 245, 185),
        ),
    ),
    Refusal(
        "The machine",
        "Its clock, name, log, modules, hardware and power.",
        Answer.EPERM,
        (
            Call("settimeofday", 164, 170),
            Call("clock_settime", 227, 112),
            Call("clock_adjtime", 305, 266),
            Call("adjtimex", 159, 171),
            Call("sethostname", 170, 161),
            Call("setdomainname", 171, 162),
            Call("syslog", 103, 116),
            Call("acct", 163, 89),
            Call("reboot", 169, 142),
            Call("vhangup", 153, 58),
            Call("iopl", 172, None),
            Call("ioperm", 173, None),
            Call("init_module", 175, 105),
            Call("finit_module", 313, 273),
            Call("delete_module", 176, 106),
            Call("kexec_load", 246, 104),
            Call("kexec_file_load", 320, 294),
        ),
    ),
    Refusal(
        "Placement and locking of memory",
        "Nothing that draws depends on it: OpenBLAS asks for memory nearby (mbind) and goes on without. "
        "Some of it tells what other processes do.",
        Answer.EPERM,
        (
            Call("mbind", 237, 235),
            Call("set_mempolicy", 238, 237),
            Call("get_mempolicy", 239, 236),
            Call("migrate_pages", 256, 238),
            Call("move_pages", 279, 239),
            Call("mlock", 149, 228),
            Call("munlock", 150, 229),
            Call("mlockall", 151, 230),
            Call("munlockall", 152, 231),
            Call("mlock2", 325, 284),
            Call("mincore", 27, 232),
            Call("remap_file_pages", 216, 234),
            Call("pkey_mprotect", 329, 288),
            Call("pkey_alloc", 330, 289),
            Call("pkey_free", 331, 290),
            Call("modify_ldt", 154, None),
            Call("set_thread_area", 205, None),
            Call("get_thread_area", 211, None),
        ),
    ),
    Refusal(
        "Placement of memory, newer calls",
        "The same.",
        Answer.ENOSYS,
        (
            Call("set_mempolicy_home_node", 450, 450),
            Call("cachestat", 451, 451),
            Call("membarrier", 324, 283),
        ),
    ),
    Refusal(
        "Priorities beyond one's own",
        "Lowering one's own is enough.",
        Answer.EPERM,
        (
            Call("sched_setparam", 142, 118),
            Call("sched_setattr", 314, 274),
            Call("sched_getattr", 315, 275),
            Call("sched_rr_get_interval", 148, 127),
            Call("ioprio_set", 251, 30),
            Call("ioprio_get", 252, 31),
        ),
    ),
    Refusal(
        "The disk",
        "They act on whole file systems.",
        Answer.EPERM,
        (
            Call("sync", 162, 81),
            Call("syncfs", 306, 267),
            Call("sync_file_range", 277, 84),
            Call("readahead", 187, 213),
        ),
    ),
    Refusal(
        "Attributes of files",
        "As on a file system that has none: cp, sed and Python then do without.",
        Answer.EOPNOTSUPP,
        (
            Call("setxattr", 188, 5),
            Call("lsetxattr", 189, 6),
            Call("fsetxattr", 190, 7),
            Call("removexattr", 197, 14),
            Call("lremovexattr", 198, 15),
            Call("fremovexattr", 199, 16),
        ),
    ),
    Refusal(
        "Attributes of files, newer calls",
        "Programs fall back to the older ones.",
        Answer.ENOSYS,
        (
            Call("setxattrat", 463, 463),
            Call("getxattrat", 464, 464),
            Call("listxattrat", 465, 465),
            Call("removexattrat", 466, 466),
            Call("file_getattr", 468, 468),
            Call("file_setattr", 469, 469),
        ),
    ),
    Refusal(
        "Pages moved between pipes",
        "A quicker copy, with a record of bugs; programs that try it copy instead.",
        Answer.EPERM,
        (
            Call("splice", 275, 76),
            Call("tee", 276, 77),
            Call("vmsplice", 278, 75),
        ),
    ),
    Refusal(
        "Watching files, signals and timers through descriptors",
        "Nothing that draws uses them.",
        Answer.EPERM,
        (
            Call("inotify_init", 253, None),
            Call("inotify_init1", 294, 26),
            Call("inotify_add_watch", 254, 27),
            Call("inotify_rm_watch", 255, 28),
            Call("signalfd", 282, None),
            Call("signalfd4", 289, 74),
            Call("timerfd_create", 283, 85),
            Call("timerfd_settime", 286, 86),
            Call("timerfd_gettime", 287, 87),
        ),
    ),
    Refusal(
        "Timers of POSIX",
        "Those that count CPU time have been a way into the kernel (CVE-2025-38352); timeout takes alarm instead.",
        Answer.ENOSYS,
        (
            Call("timer_create", 222, 107),
            Call("timer_settime", 223, 110),
            Call("timer_gettime", 224, 108),
            Call("timer_getoverrun", 225, 109),
            Call("timer_delete", 226, 111),
        ),
    ),
    Refusal(
        "Newer futexes",
        "The C libraries of today use the first one.",
        Answer.ENOSYS,
        (
            Call("futex_waitv", 449, 449),
            Call("futex_wake", 454, 454),
            Call("futex_wait", 455, 455),
            Call("futex_requeue", 456, 456),
        ),
    ),
    Refusal(
        "Relics",
        "No C library uses them any more, or the kernel has dropped them.",
        Answer.EPERM,
        (
            Call("getdents", 78, None),
            Call("utime", 132, None),
            Call("utimes", 235, None),
            Call("futimesat", 261, None),
            Call("eventfd", 284, None),
            Call("uselib", 134, None),
            Call("ustat", 136, None),
            Call("sysfs", 139, None),
            Call("_sysctl", 156, None),
            Call("create_module", 174, None),
            Call("get_kernel_syms", 177, None),
            Call("query_module", 178, None),
            Call("nfsservctl", 180, 42),
            Call("getpmsg", 181, None),
            Call("putpmsg", 182, None),
            Call("afs_syscall", 183, None),
            Call("tuxcall", 184, None),
            Call("security", 185, None),
            Call("epoll_ctl_old", 214, None),
            Call("epoll_wait_old", 215, None),
            Call("vserver", 236, None),
        ),
    ),
)
