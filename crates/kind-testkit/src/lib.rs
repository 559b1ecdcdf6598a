//! Recorded data, temporary homes and namespaces for tests.
#![forbid(unsafe_code)]
