//! See `virtpy_fuzz::oracles::record`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| virtpy_fuzz::oracles::record(data));
