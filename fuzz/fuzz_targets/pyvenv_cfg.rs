//! See `virtpy_fuzz::oracles::pyvenv_cfg`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| virtpy_fuzz::oracles::pyvenv_cfg(data));
