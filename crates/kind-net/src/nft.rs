//! Rulesets, listed and applied as one transaction by the program `nft`.

use std::io::{self, Write};
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::{Error, host_program};

/// The removal of a table, whether it exists or not.
pub fn removal(table: &str) -> Value {
    let table = json!({ "table": { "family": "inet", "name": table } });
    json!({ "nftables": [{ "add": table }, { "delete": table }] })
}

/// Family and name of each table in the network namespace of the calling thread.
pub fn tables() -> Result<Vec<(String, String)>, Error> {
    let objects = list(&["tables"])?;
    let tables = objects.iter().filter_map(|object| object.get("table"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(tables
        .map(|table| (text(&table["family"]), text(&table["name"])))
        .collect())
}

/// The objects that `nft list` shows for `what`.
pub fn list(what: &[&str]) -> Result<Vec<Value>, Error> {
    let mut command = host_program("nft");
    let output = command.args(["-j", "list"]).args(what).output();
    let output = output.map_err(unavailable)?;
    if !output.status.success() {
        return Err(refused(&output));
    }
    let mut listing: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| Error::Nft(format!("its listing is not JSON: {error}")))?;
    match listing.get_mut("nftables").map(Value::take) {
        Some(Value::Array(objects)) => Ok(objects),
        _ => Err(Error::Nft("its listing has no objects".to_owned())),
    }
}

/// Applies a ruleset in one transaction: all of it or nothing.
pub fn apply(ruleset: &Value) -> Result<(), Error> {
    let mut child = host_program("nft")
        .args(["-j", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(unavailable)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A broken pipe means that nft has ended, which its exit code and message tell better.
        let _ = stdin.write_all(ruleset.to_string().as_bytes());
    }
    let output = child.wait_with_output().map_err(unavailable)?;
    if output.status.success() {
        return Ok(());
    }
    Err(refused(&output))
}

fn unavailable(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::NftMissing,
        _ => Error::Nft(error.to_string()),
    }
}

fn refused(output: &Output) -> Error {
    let message = String::from_utf8_lossy(&output.stderr);
    Error::Nft(message.trim().replace('\n', "; "))
}
