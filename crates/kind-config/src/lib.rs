//! Versioned cluster configuration: strict decoding, defaults, validation.
#![forbid(unsafe_code)]
