//! The watch with changes from a list, and against a small API server on loopback.

use futures_util::stream::{iter, pending};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch::channel;
use tokio::time::timeout;

use super::super::model::Key;
use super::*;

/// Runs a list of changes through and returns the index at the end.
async fn index_after(changes: Vec<Change>) -> Option<Arc<Index>> {
    let (sender, receiver) = channel(None);
    // The stream never ends, as a watch never does.
    let changes = iter(changes.into_iter().map(Ok)).chain(pending());
    let following = timeout(BATCH_INTERVAL * 10, follow_changes(changes, &sender));
    assert!(following.await.is_err());
    receiver.borrow().clone()
}

fn namespace() -> (Key, ()) {
    let key = Key {
        namespace: "n".into(),
        name: "n".into(),
    };
    (key, ())
}

#[tokio::test]
async fn index_comes_after_the_last_list_even_of_an_empty_cluster() {
    let mut changes = vec![
        Change::Service(Event::InitDone),
        Change::Endpoints(Event::InitDone),
    ];
    assert!(index_after(changes).await.is_none());
    changes = vec![
        Change::Service(Event::InitDone),
        Change::Endpoints(Event::InitDone),
        Change::Namespace(Event::InitDone),
    ];
    assert!(index_after(changes).await.is_some());
}

#[tokio::test]
async fn later_change_reaches_the_index() {
    let index = index_after(vec![
        Change::Service(Event::InitDone),
        Change::Endpoints(Event::InitDone),
        Change::Namespace(Event::InitDone),
        Change::Namespace(Event::Apply(namespace())),
    ]);
    assert!(index.await.unwrap().namespace("n").is_some());
}

/// A server that serves EndpointSlices in one version. Slices and Endpoints differ in their
/// addresses, so that the index tells which of them it was made of.
async fn api_server(discovery: &'static str) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(connection(stream, discovery));
        }
    });
    let url = format!("http://{address}").parse().unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::try_from(kube::Config::new(url)).unwrap()
}

/// Answers the requests of one connection; a watch just stays silent.
async fn connection(stream: TcpStream, discovery: &str) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            if stream.read_line(&mut request).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let target = request.split(' ').nth(1).unwrap();
        if target.contains("watch=true") {
            return std::future::pending().await;
        }
        let body = page(target.split('?').next().unwrap(), discovery).to_string();
        let length = body.len();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length:";
        let response = format!("{head} {length}\r\n\r\n{body}");
        stream.write_all(response.as_bytes()).await.unwrap();
    }
}

/// What the server says about a path.
fn page(path: &str, discovery: &str) -> Value {
    let list = |kind: &str, version: &str, item: Value| {
        json!({
            "kind": kind, "apiVersion": version,
            "metadata": {"resourceVersion": "7"}, "items": [item],
        })
    };
    let name = json!({"namespace": "n", "name": "s"});
    match path {
        "/apis" => {
            let version = json!({
                "groupVersion": format!("discovery.k8s.io/{discovery}"), "version": discovery,
            });
            let group = json!({"name": "discovery.k8s.io", "versions": [version]});
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]})
        }
        "/api/v1/services" => {
            let item = json!({"metadata": name, "spec": {"clusterIP": "None"}});
            list("ServiceList", "v1", item)
        }
        "/api/v1/namespaces" => list("NamespaceList", "v1", json!({"metadata": {"name": "n"}})),
        "/api/v1/endpoints" => {
            let subset = json!({"addresses": [{"ip": "10.0.0.1"}]});
            let item = json!({"metadata": name, "subsets": [subset]});
            list("EndpointsList", "v1", item)
        }
        "/apis/discovery.k8s.io/v1/endpointslices" => {
            let labels = json!({"kubernetes.io/service-name": "s"});
            let item = json!({
                "metadata": {"namespace": "n", "name": "s-1", "labels": labels},
                "addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.2"]}],
            });
            list("EndpointSliceList", "discovery.k8s.io/v1", item)
        }
        other => panic!("asked for {other}"),
    }
}

#[tokio::test]
async fn endpoints_come_from_slices_where_they_are_served() {
    for (discovery, expected) in [("v1", "10.0.0.2"), ("v1beta1", "10.0.0.1")] {
        let client = api_server(discovery).await;
        let (sender, mut receiver) = channel(None);
        let watching = tokio::spawn(watch_cluster(client, Arc::new(sender)));
        let waiting = receiver.wait_for(Option::is_some);
        let index = timeout(Duration::from_secs(5), waiting).await;
        let index = index.unwrap().unwrap().clone().unwrap();
        watching.abort();
        let entry = index.service("n", "s").unwrap();
        let addresses: Vec<String> = entry
            .endpoints
            .iter()
            .map(|endpoint| endpoint.address.to_string())
            .collect();
        assert_eq!(addresses, [expected]);
    }
}

#[test]
fn retries_grow_to_a_limit_and_start_again_after_a_while() {
    let mut retries = Retries::default();
    let mut now = Instant::now();
    let mut waits = Vec::new();
    for _ in 0..7 {
        let wait = retries.wait(now);
        waits.push(wait.as_millis());
        now += wait;
    }
    assert_eq!(waits, [100, 200, 400, 800, 1600, 2000, 2000]);
    assert_eq!(retries.wait(now + BACKOFF_RESET_AFTER), MIN_RETRY_INTERVAL);
}
