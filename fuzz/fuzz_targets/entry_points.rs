//! See `virtpy_fuzz::oracles::entry_points`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| virtpy_fuzz::oracles::entry_points(data));
