//! See `virtpy_fuzz::oracles::wheel_name`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| virtpy_fuzz::oracles::wheel_name(data));
