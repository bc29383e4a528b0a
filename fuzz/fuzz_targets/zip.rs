//! See `virtpy_fuzz::oracles::zip`; half of the mutations are made sound again by `virtpy_fuzz::mend::zip`.

#![no_main]

use virtpy_fuzz::mend;

libfuzzer_sys::fuzz_target!(|data: &[u8]| virtpy_fuzz::oracles::zip(data));

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let size = libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    mend::zip(data, size, seed)
});
