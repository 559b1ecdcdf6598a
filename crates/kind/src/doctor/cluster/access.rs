//! The way from this machine to a cluster's API server.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use kind_engine::State;

use super::facts::Patient;
use crate::doctor::outcome::{Outcome, Problem};
use crate::kubeconfig;

/// On this machine a port is open, or is not.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(700);

pub(super) fn look_at_port(patient: &Patient) -> Outcome {
    if patient
        .nodes
        .iter()
        .all(|node| node.state != State::Running)
    {
        return Outcome::skipped("the cluster is stopped");
    }
    match patient.provider.server(&patient.name) {
        Ok(url) => judge_port(&url, connect_to_server(&url)),
        Err(error) => Outcome::skipped(crate::error_chain(&error)),
    }
}

fn connect_to_server(url: &str) -> Result<(), String> {
    let place = url.strip_prefix("https://").unwrap_or(url);
    let addresses = place.to_socket_addrs().map_err(|error| error.to_string())?;
    // All interfaces are none to connect to on some systems.
    let addresses = addresses.map(|address| match address {
        all if all.ip().is_unspecified() => SocketAddr::from(([127, 0, 0, 1], all.port())),
        other => other,
    });
    let mut last = "it has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(_) => return Ok(()),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

fn judge_port(url: &str, connected: Result<(), String>) -> Outcome {
    match connected {
        Ok(()) => Outcome::Passed(format!("{url} is open")),
        Err(error) => {
            let found = format!("{url} cannot be reached from here: {error}");
            let remedy = "see whether the engine publishes the port (`docker ps`), and whether a firewall or another machine \
                 is between; \
                 where the engine is elsewhere, `networking.apiServerAddress` says where ports are published";
            Problem::error(found, "an open port", remedy).into()
        }
    }
}

/// Whether kubectl goes to this cluster.
pub(super) fn look_at_context(patient: &Patient) -> Outcome {
    let Some(files) = &patient.kubeconfigs else {
        return Outcome::skipped("nothing says where your kubeconfig is");
    };
    let Ok(url) = patient.provider.server(&patient.name) else {
        return Outcome::skipped("the cluster has no published port");
    };
    let named = kubeconfig::find_server(files, &patient.name);
    judge_context(&patient.name, &url, named.as_deref())
}

fn judge_context(cluster: &str, url: &str, named: Option<&str>) -> Outcome {
    let context = kubeconfig::context_name(cluster);
    let remedy = format!("`kind export kubeconfig --name {cluster}`");
    match named {
        Some(named) if named == url => Outcome::Passed(format!("{context} leads to {url}")),
        Some(named) => {
            let found =
                format!("the context {context} leads to {named}, and the cluster is at {url}");
            Problem::error(found, "the cluster's own address", remedy).into()
        }
        None => {
            let found = format!("your kubeconfig has no context {context}");
            Problem::warning(found, "a context for the cluster", remedy).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::told;

    #[test]
    fn a_context_must_lead_to_the_cluster() {
        let judged = |named| told(&judge_context("a", "https://127.0.0.1:1", named));
        assert_eq!(
            judged(Some("https://127.0.0.1:1")),
            "passed: kind-a leads to https://127.0.0.1:1"
        );
        assert_eq!(
            judged(Some("https://127.0.0.1:2")),
            "error: the context kind-a leads to https://127.0.0.1:2, and the cluster is at https://127.0.0.1:1"
        );
        assert_eq!(
            judged(None),
            "warning: your kubeconfig has no context kind-a"
        );
    }

    #[test]
    fn ports_are_tried() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for address in ["127.0.0.1", "0.0.0.0"] {
            let url = format!("https://{address}:{port}");
            assert_eq!(
                told(&judge_port(&url, connect_to_server(&url))),
                format!("passed: {url} is open")
            );
        }
        drop(listener);
        let url = format!("https://127.0.0.1:{port}");
        assert!(told(&judge_port(&url, connect_to_server(&url))).starts_with("error: "));
    }
}
