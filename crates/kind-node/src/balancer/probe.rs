//! Asking a member how it is.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

use super::member::{Health, Member};

/// From one check to the next.
const PROBE_INTERVAL: Duration = Duration::from_millis(400);
/// After a first sign of trouble the next check comes sooner.
const RECHECK_INTERVAL: Duration = Duration::from_millis(100);
/// How long a server may take to answer. A busy one gets no more to do as long as others are ready.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// So many connections in a row must fail before a member counts as gone.
const FAILURE_THRESHOLD: u32 = 2;

/// What one check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProbeResult {
    /// Nothing takes a connection.
    Unreachable,
    /// Something took the connection, and no answer came.
    Silent,
    /// The server answered with this status code.
    Answered(u16),
}

/// Checks a member for ever.
pub(super) async fn look_after(member: Arc<Member>, config: Arc<ClientConfig>) {
    let mut failures = 0;
    loop {
        let finding = check_member(&member, &config).await;
        failures = match finding {
            ProbeResult::Unreachable => failures + 1,
            _ => 0,
        };
        if let Some(health) = judge_result(finding, failures) {
            member.set_health(health);
        }
        sleep(match finding {
            ProbeResult::Answered(_) => PROBE_INTERVAL,
            _ => RECHECK_INTERVAL,
        })
        .await;
    }
}

/// What a finding says about a member; nothing yet if it may be a hiccup.
fn judge_result(finding: ProbeResult, failures: u32) -> Option<Health> {
    match finding {
        // Whoever does not let a stranger ask is there to serve those he knows.
        ProbeResult::Answered(200 | 401 | 403) => Some(Health::Ready),
        ProbeResult::Answered(_) => Some(Health::Unready),
        ProbeResult::Silent => Some(Health::Busy),
        ProbeResult::Unreachable => (failures >= FAILURE_THRESHOLD).then_some(Health::Gone),
    }
}

async fn check_member(member: &Member, config: &Arc<ClientConfig>) -> ProbeResult {
    let Ok(stream) = member.connect().await else {
        return ProbeResult::Unreachable;
    };
    let name = member.address().rsplit_once(':');
    let name = name.map_or("", |(name, _)| name).trim_matches(['[', ']']);
    match timeout(PROBE_TIMEOUT, ask_readyz(stream, name, config)).await {
        Ok(Ok(Some(code))) => ProbeResult::Answered(code),
        _ => ProbeResult::Silent,
    }
}

/// The status code of the server's `/readyz`.
async fn ask_readyz(
    stream: TcpStream,
    name: &str,
    config: &Arc<ClientConfig>,
) -> io::Result<Option<u16>> {
    let connector = TlsConnector::from(Arc::clone(config));
    let server = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let mut stream = connector.connect(server, stream).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    // `HTTP/1.1 200` is all that matters.
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    Ok(parse_status(&head))
}

fn parse_status(head: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(head).ok()?;
    text.strip_prefix("HTTP/1.")?.get(2..)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_from_the_first_bytes() {
        assert_eq!(parse_status(b"HTTP/1.1 200"), Some(200));
        assert_eq!(parse_status(b"HTTP/1.0 503"), Some(503));
        assert_eq!(parse_status(b"SSH-2.0-Open"), None);
        assert_eq!(parse_status(&[0xff; 12]), None);
    }

    #[test]
    fn one_failure_is_no_verdict() {
        assert_eq!(judge_result(ProbeResult::Unreachable, 1), None);
        assert_eq!(
            judge_result(ProbeResult::Unreachable, 2),
            Some(Health::Gone)
        );
        assert_eq!(judge_result(ProbeResult::Silent, 0), Some(Health::Busy));
        assert_eq!(
            judge_result(ProbeResult::Answered(500), 0),
            Some(Health::Unready)
        );
        assert_eq!(
            judge_result(ProbeResult::Answered(403), 0),
            Some(Health::Ready)
        );
    }
}
