//! Programs that stand in for an engine's in tests of how it is called.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A program of this shell script, below `directory`. Another process writes it: a child that is started
/// meanwhile would hold the file open, and nobody runs a file that somebody writes.
pub(super) fn program(directory: &Path, script: &str) -> String {
    let (text, path) = (directory.join("script"), directory.join("engine"));
    fs::write(&text, format!("#!/bin/sh\n{script}")).unwrap();
    let mut install = Command::new("install");
    install.args(["-m", "755"]).arg(text).arg(&path);
    assert!(install.status().unwrap().success());
    path.to_string_lossy().into_owned()
}
