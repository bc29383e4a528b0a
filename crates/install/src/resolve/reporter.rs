//! What is heard of long work: downloads, builds, unpacking.

/// Hears what is going on. Called from several threads.
pub trait Reporter: Send + Sync {
    /// So many packages are about to be fetched or built.
    fn expect(&self, _count: usize) {}
    /// A download begins. `bytes` is its size, where that is known.
    fn download_started(&self, package: &str, bytes: Option<u64>);
    /// So many bytes of it have come in all.
    fn downloaded(&self, package: &str, bytes: u64);
    /// A package is being built from source.
    fn build_started(&self, package: &str);
    /// A package's wheel is there and unpacked.
    fn finished(&self, package: &str);
    /// Something that people should know.
    fn warning(&self, message: &str);
}
