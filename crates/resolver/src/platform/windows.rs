//! Windows: what the console sends.

/// Windows ends a process with this after ^C (`STATUS_CONTROL_C_EXIT`).
const ENDED_BY_USER: u32 = 0xC000_013A;

/// Waits for ^C, and returns with what the process then ends. `None` where nobody can wait for that.
pub(crate) async fn asked_to_end() -> Option<i32> {
    tokio::signal::ctrl_c().await.ok()?;
    Some(ENDED_BY_USER.cast_signed())
}

/// The console has told the programs that this process has started.
pub(crate) fn end_children() {}
