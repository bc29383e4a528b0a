//! See `virtpy_fuzz::oracles::tar`; half of the mutations are made sound again by `virtpy_fuzz::mend::tar`.

#![no_main]

use virtpy_fuzz::mend;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _unpacked = virtpy_fuzz::oracles::tar(data);
});

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let size = libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    mend::tar(data, size, seed)
});
