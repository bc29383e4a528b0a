//! What decides which wheels an interpreter takes (PEP 425, 600, 656).

/// What has to be known about an interpreter to tell which wheels it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagFacts {
    /// `sys.implementation.name`.
    pub implementation: String,
    /// The implementation as people write it (`platform.python_implementation()`).
    pub implementation_label: String,
    /// Major and minor version of the implementation.
    pub implementation_version: (u32, u32),
    /// Major and minor version of Python.
    pub version: (u32, u32),
    /// Whether it was built without the global interpreter lock (PEP 703).
    pub free_threaded: bool,
    /// Whether it is a debug build.
    pub debug: bool,
    /// 64 or 32 bits.
    pub pointer_width: u32,
    /// The processor: `x86_64`, `aarch64`, `arm64`.
    pub machine: String,
    /// Which system it runs on, where that is one that wheels are built for.
    pub system: Option<TagSystem>,
}

/// A system that wheels are built for, with the version that decides which of them run there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagSystem {
    /// Linux with the GNU C library.
    Glibc(u32, u32),
    /// Linux with musl.
    Musl(u32, u32),
    /// macOS.
    Macos(u32, u32),
}
