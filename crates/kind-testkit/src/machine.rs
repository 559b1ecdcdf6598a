//! What a test needs of the machine. Where that is missing the test fails and says so: one that passes has tested
//! something.

use std::env;

/// Fails the test unless root runs it.
#[track_caller]
pub fn require_root() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test needs root: it mounts, makes namespaces or gives files away"
    );
}

/// Fails the test unless all these programs are installed.
#[track_caller]
pub fn require_programs(programs: &[&str]) {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_installed =
        |program: &str| env::split_paths(&path).any(|place| place.join(program).is_file());
    for program in programs {
        assert!(
            is_installed(program),
            "this test needs {program}: `cargo xtask test` installs it"
        );
    }
}
