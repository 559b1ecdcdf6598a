#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kind_fuzz::check("netlink_answers", data));
