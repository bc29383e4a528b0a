//! As whom this process works, and which others run.

use std::sync::OnceLock;

use rustix::io::Errno;
use rustix::process::Pid;

/// The user as whom this process reads and writes, which stays the same as long as it runs: the system is asked once.
pub(crate) fn effective_user() -> u32 {
    static USER: OnceLock<u32> = OnceLock::new();
    *USER.get_or_init(|| rustix::process::geteuid().as_raw())
}

/// Whether there is a process of this number.
pub(crate) fn is_running(number: &str) -> bool {
    let process = number.parse().ok().and_then(Pid::from_raw);
    process.is_some_and(|process| rustix::process::test_kill_process(process) != Err(Errno::SRCH))
}
