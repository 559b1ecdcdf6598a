//! Settings of the node's kernel, for images whose boot does not make them.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use kind_net::sysctl;

const PROC_SYS: &str = "/proc/sys";
/// Read by systemd at every boot; the directory is there where systemd is.
const FILE: &str = "/etc/sysctl.d/99-kind.conf";

/// Makes them, and has systemd make them whenever the node boots.
///
/// Never fails: on most hosts everything is as it should be anyway.
pub(crate) fn set_sysctls() -> ExitCode {
    for (what, result) in [
        ("settings", apply_sysctls()),
        (FILE, fs::write(FILE, sysctl::as_file())),
    ] {
        match result {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let _ = writeln!(io::stderr(), "{what}: {error}");
            }
            _ => {}
        }
    }
    ExitCode::SUCCESS
}

/// Makes them now.
pub(crate) fn apply_sysctls() -> io::Result<()> {
    sysctl::set_for_node(Path::new(PROC_SYS))
}
