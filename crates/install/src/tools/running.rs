//! Whether an application is running right now: what it has not imported yet must not be taken away from it.

use std::path::Path;

use virtpy_files as fs;

/// Whether a process was started with the interpreter of a generation, which the first line of each of its commands names.
/// Where the machine does not say what runs (no `/proc`), nothing does.
pub(super) fn is_running(generation: &Path) -> bool {
    let mut prefix = generation.as_os_str().as_encoded_bytes().to_vec();
    prefix.extend(b"/bin/");
    let processes = fs::names(Path::new("/proc")).unwrap_or_default();
    processes
        .iter()
        .filter(|name| name.as_encoded_bytes().iter().all(u8::is_ascii_digit))
        .filter_map(|name| fs::read(&Path::new("/proc").join(name).join("cmdline")).ok())
        .any(|words| words.split(|byte| *byte == 0).any(|word| word.starts_with(&prefix)))
}
