//! Puts the node's agent into the command when `KIND_NODE_BINARY` names it.

use std::env;
use std::fs;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const VARIABLE: &str = "KIND_NODE_BINARY";
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    println!("cargo::rustc-check-cfg=cfg(embedded_agent)");
    println!(
        "cargo::rustc-env=TARGET_OS={}",
        env::var("CARGO_CFG_TARGET_OS")?
    );
    println!(
        "cargo::rustc-env=TARGET_ARCH={}",
        env::var("CARGO_CFG_TARGET_ARCH")?
    );
    println!("cargo::rustc-env=RUST_VERSION={}", rust_version()?);
    let Some(path) = env::var_os(VARIABLE).filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let path = fs::canonicalize(PathBuf::from(path))?;
    let mut digest = String::new();
    for byte in Sha256::digest(fs::read(&path)?) {
        digest.push_str(&format!("{byte:02x}"));
    }
    println!("cargo::rerun-if-changed={}", path.display());
    println!("cargo::rustc-env=AGENT_PATH={}", path.display());
    println!("cargo::rustc-env=AGENT_DIGEST={digest}");
    println!("cargo::rustc-cfg=embedded_agent");
    Ok(())
}

/// The compiler's version, for example `1.95.0`.
fn rust_version() -> Result<String, Box<dyn std::error::Error>> {
    let compiler = env::var_os("RUSTC").ok_or("cargo did not name the compiler")?;
    let output = std::process::Command::new(compiler)
        .arg("--version")
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let version = text.split_whitespace().nth(1);
    Ok(version
        .ok_or("the compiler did not tell its version")?
        .to_owned())
}
