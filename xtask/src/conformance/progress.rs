//! Hearing from the tests, as they run, which of them have ended.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use crate::Failure;
use crate::shell::say;

/// Longest message that is read; the tests send the names of all failures with each.
const LIMIT: u64 = 1 << 20;
/// A test process sends its whole message at once.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Tells the developer of each test that ends, and returns the address that `e2e.test` reports to
/// (`--progress-report-url`).
///
/// # Errors
/// No port of loopback is to be had.
pub(super) fn listen() -> Result<String, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = format!("http://{}/", listener.local_addr()?);
    std::thread::spawn(move || {
        let mut ended = 0;
        for stream in listener.incoming().flatten() {
            if let Some(message) = receive(&stream)
                && let Some(line) = line(&message, &mut ended)
            {
                say(&line);
            }
        }
    });
    Ok(address)
}

/// Takes one message and says that it came.
fn receive(mut stream: &TcpStream) -> Option<serde_json::Value> {
    stream.set_read_timeout(Some(TIMEOUT)).ok()?;
    let mut reader = BufReader::new(stream.take(LIMIT));
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        match header.trim().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().ok()?;
            }
            _ if header.trim().is_empty() => break,
            _ => {}
        }
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body).ok()?;
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(answer).ok()?;
    serde_json::from_slice(&body).ok()
}

/// What is told of a message: that a test has ended, and how. Every process of the tests counts its own.
fn line(message: &serde_json::Value, ended: &mut u64) -> Option<String> {
    let text = message.get("msg")?.as_str()?;
    if text == "Test Suite starting" {
        // Those of a run start together, before a test of any has ended.
        *ended = 0;
    }
    let (outcome, name) = text.split_once(' ')?;
    if !matches!(outcome, "PASSED" | "FAILED") {
        return None;
    }
    *ended += 1;
    // They do not know how many they are when several run at a time: older ones say nothing, newer ones 0.
    let total = message.get("total").and_then(serde_json::Value::as_u64);
    let total = total.filter(|total| *total > 0);
    let total = total.map_or_else(String::new, |total| format!("/{total}"));
    Some(format!("{ended:>4}{total} {outcome} {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_tests_are_counted_over_all_processes() {
        let mut ended = 0;
        let mut tell = |text: &str| line(&serde_json::from_str(text).unwrap(), &mut ended);
        assert_eq!(tell(r#"{"msg":"Test Suite starting","total":3}"#), None);
        let passed = r#"{"msg":"PASSED [sig-node] Pods run","total":3,"completed":1}"#;
        assert_eq!(tell(passed).unwrap(), "   1/3 PASSED [sig-node] Pods run");
        let failed = r#"{"msg":"FAILED [sig-node] Pods stop","total":-1,"failed":1}"#;
        assert_eq!(tell(failed).unwrap(), "   2 FAILED [sig-node] Pods stop");
        assert_eq!(tell(r#"{"msg":"Test Suite starting","total":1}"#), None);
        assert_eq!(tell(passed).unwrap(), "   1/3 PASSED [sig-node] Pods run");
    }

    #[test]
    fn a_message_is_taken_and_acknowledged() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        client
            .write_all(b"POST / HTTP/1.1\r\nHost: x\r\ncontent-length: 11\r\n\r\n{\"msg\":\"a\"}")
            .unwrap();
        assert_eq!(receive(&server).unwrap()["msg"], "a");
        drop(server);
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}
