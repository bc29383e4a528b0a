//! How much an archive may ask of this machine.

/// The bounds that an archive must keep. They are generous: the largest real wheels stay far below them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Members, and also the folders that their names imply.
    pub members: u64,
    /// Bytes of all members together, unpacked.
    pub unpacked_size: u64,
    /// How many times larger than the archive its unpacked members may be. Only asked above [`Self::ratio_from`],
    /// because a small archive of zeros is legal and harmless, and only of tar archives: a zip archive's directory says
    /// beforehand how large its members are, and none grows beyond that.
    pub ratio: u64,
    /// Unpacked bytes below which the ratio does not matter.
    pub ratio_from: u64,
    /// Bytes of one member that is read into memory (`METADATA`, `RECORD`).
    pub in_memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            members: 200_000,
            unpacked_size: 16 << 30,
            ratio: 200,
            ratio_from: 1 << 30,
            in_memory: 128 << 20,
        }
    }
}
