//! Real sockets: a server on loopback, with an upstream server of our own behind it.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use kube::runtime::watcher::Event;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::time::timeout;

use super::chain::Chain;
use super::configuration::tests::read;
use super::convert;
use super::index::Index;
use super::metrics::Metrics;
use super::objects::{Change, Objects};
use super::probe::Page;
use super::resolver::Resolver;
use super::server::Server;
use super::upstream::{read_packet, write_packet};

/// Time for what must come; a busy machine may take its time.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A running upstream server of a small zone.
struct Upstream {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    _held: Option<TcpSocket>,
}

impl Upstream {
    async fn start() -> Self {
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let udp = UdpSocket::bind(address).await.unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        tokio::spawn(answer_datagrams(udp, asked.clone(), upstream_answer));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = tcp.accept().await.unwrap();
                let packet = read_packet(&mut stream).await.unwrap();
                let answer = upstream_answer(&packet).to_vec().unwrap();
                write_packet(&mut stream, &answer).await.unwrap();
            }
        });
        Self {
            address,
            asked,
            _held: None,
        }
    }

    /// One that nobody reaches over TCP.
    async fn start_without_tcp(answer: fn(&[u8]) -> Message) -> Self {
        // Nobody else may listen there.
        let held = TcpSocket::new_v4().unwrap();
        held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = held.local_addr().unwrap();
        let udp = UdpSocket::bind(address).await.unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        tokio::spawn(answer_datagrams(udp, asked.clone(), answer));
        Self {
            address,
            asked,
            _held: Some(held),
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn answer_datagrams(udp: UdpSocket, asked: Arc<AtomicUsize>, answer: fn(&[u8]) -> Message) {
    let mut buffer = [0; 2048];
    loop {
        let (length, client) = udp.recv_from(&mut buffer).await.unwrap();
        asked.fetch_add(1, Ordering::Relaxed);
        let mut answer = answer(&buffer[..length]);
        if answer.answers.len() > 20 {
            answer.answers.truncate(5);
            answer.metadata.truncation = true;
        }
        // Somebody guesses the id wrongly first.
        let mut forged = answer.clone();
        forged.metadata.id ^= 1;
        for packet in [forged, answer] {
            let packet = packet.to_vec().unwrap();
            udp.send_to(&packet, client).await.unwrap();
        }
    }
}

/// What the upstream server knows.
fn upstream_answer(packet: &[u8]) -> Message {
    let question = Message::from_vec(packet).unwrap();
    let query = question.queries[0].clone();
    let name = query.name().clone();
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    answer.add_query(query);
    let address = |last| {
        let data = RData::A(A(Ipv4Addr::new(192, 0, 2, last)));
        Record::from_rdata(name.clone(), 60, data)
    };
    match name.to_ascii().as_str() {
        "www.example.com." => {
            answer.add_answer(address(1));
        }
        "broken.example.com." => {
            answer.metadata.response_code = ResponseCode::ServFail;
        }
        "big.example.com." => {
            answer.add_answers((0..200).map(address));
        }
        _ => {
            let root = Name::root();
            let soa = SOA::new(root.clone(), root.clone(), 1, 1, 1, 1, 10);
            answer.add_authority(Record::from_rdata(root, 10, RData::SOA(soa)));
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
    }
    answer
}

/// An index with a few services, one of them with many endpoints.
fn index() -> Index {
    let mut objects = Objects::default();
    for (name, spec) in [
        ("web", json!({"clusterIP": "10.96.0.9"})),
        ("many", json!({"clusterIP": "None"})),
        (
            "out",
            json!({"type": "ExternalName", "externalName": "www.example.com"}),
        ),
        (
            "lost",
            json!({"type": "ExternalName", "externalName": "lost.example.com"}),
        ),
    ] {
        let object = json!({"metadata": {"namespace": "default", "name": name}, "spec": spec});
        let kept = convert::convert_service(serde_json::from_value(object).unwrap());
        objects.apply_change(Change::Service(Event::Apply(kept)));
    }
    let addresses = (0..200).map(|last| json!({"addresses": [format!("10.0.0.{last}")]}));
    let slice = json!({
        "metadata": {
            "namespace": "default", "name": "many-1",
            "labels": {"kubernetes.io/service-name": "many"},
        },
        "addressType": "IPv4",
        "endpoints": addresses.collect::<Vec<_>>(),
    });
    let kept = convert::convert_slice(serde_json::from_value(slice).unwrap());
    objects.apply_change(Change::Endpoints(Event::Apply(kept)));
    let mut index = Index::default();
    objects.refresh(&mut index);
    index
}

/// Starts a server with these upstream servers, as kubeadm's Corefile has it.
async fn start(index: Option<Index>, upstreams: &[SocketAddr]) -> SocketAddr {
    let forward = match upstreams {
        [] => String::new(),
        all => {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            format!("forward . {} {{\n policy sequential\n}}", all.join(" "))
        }
    };
    let corefile = format!(
        ". {{\n kubernetes cluster.local in-addr.arpa ip6.arpa {{\n pods insecure\n \
         fallthrough in-addr.arpa ip6.arpa\n ttl 30\n}}\n{forward}\n cache 30\n loadbalance\n}}"
    );
    serve(&corefile, index).await.0
}

/// Starts a server with a Corefile.
async fn serve(corefile: &str, index: Option<Index>) -> (SocketAddr, Arc<Chain>, Arc<Metrics>) {
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = server.address().unwrap();
    let corefile = corefile.replace("OWN", &address.to_string());
    let (configuration, problems) = read(&corefile).unwrap();
    assert_eq!(problems, []);
    let metrics = Arc::new(Metrics::default());
    let unknown = |_| "127.0.0.9:9".parse().unwrap();
    let blocks = configuration.blocks.into_iter();
    let chains = blocks.map(|block| Arc::new(Chain::new(block, &[], unknown, &metrics)));
    let chains: Vec<_> = chains.collect();
    let first = chains[0].clone();
    let (_, chains) = watch::channel(Arc::new(chains));
    let (_, indexes) = watch::channel(index.map(Arc::new));
    let (_, pods) = watch::channel(None);
    tokio::spawn(server.serve_queries(Resolver::new(chains, indexes, pods), 53));
    (address, first, metrics)
}

fn query(name: &str, kind: RecordType) -> Message {
    let mut message = Message::new(4242, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.metadata.recursion_desired = true;
    message
}

async fn over_udp(server: SocketAddr, question: &Message) -> Message {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let packet = question.to_vec().unwrap();
    socket.send_to(&packet, server).await.unwrap();
    let mut buffer = [0; 4096];
    let received = timeout(ANSWER_TIMEOUT, socket.recv(&mut buffer)).await;
    Message::from_vec(&buffer[..received.unwrap().unwrap()]).unwrap()
}

async fn over_tcp(server: SocketAddr, questions: &[Message]) -> Vec<Message> {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let mut answers = Vec::new();
    for question in questions {
        let packet = question.to_vec().unwrap();
        write_packet(&mut stream, &packet).await.unwrap();
    }
    for _ in questions {
        let packet = read_packet(&mut stream).await.unwrap();
        answers.push(Message::from_vec(&packet).unwrap());
    }
    answers
}

#[tokio::test]
async fn service_is_answered_over_udp_and_tcp() {
    let server = start(Some(index()), &[]).await;
    let question = query("web.default.svc.cluster.local.", RecordType::A);
    let mut answers = over_tcp(server, &[question.clone(), question.clone()]).await;
    answers.push(over_udp(server, &question).await);
    for answer in answers {
        assert_eq!(answer.metadata.id, 4242);
        assert!(answer.metadata.authoritative && answer.metadata.recursion_available);
        assert_eq!(answer.answers[0].data.to_string(), "10.96.0.9");
    }
}

#[tokio::test]
async fn long_answer_is_cut_over_udp_and_whole_over_tcp() {
    let server = start(Some(index()), &[]).await;
    let mut question = query("many.default.svc.cluster.local.", RecordType::A);
    let plain = over_udp(server, &question).await;
    let mut edns = Edns::new();
    edns.set_max_payload(4096);
    question.set_edns(edns);
    let extended = over_udp(server, &question).await;
    assert!(plain.metadata.truncation && extended.metadata.truncation);
    assert!(plain.answers.len() < extended.answers.len());
    assert!(plain.edns.is_none() && extended.edns.is_some());
    let whole = over_tcp(server, &[question]).await;
    assert_eq!(whole[0].answers.len(), 200);
}

#[tokio::test]
async fn foreign_name_is_forwarded_once_and_then_cached() {
    let upstream = Upstream::start().await;
    let server = start(Some(index()), &[upstream.address]).await;
    for _ in 0..3 {
        let answer = over_udp(server, &query("www.example.com.", RecordType::A)).await;
        assert_eq!(answer.answers[0].data.to_string(), "192.0.2.1");
        assert!(!answer.metadata.authoritative);
        // No longer than `cache 30` says, also when it was just fetched.
        assert!(answer.answers[0].ttl <= 30);
    }
    for _ in 0..3 {
        let answer = over_udp(server, &query("gone.example.com.", RecordType::A)).await;
        assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
    }
    assert_eq!(upstream.asked(), 2);
}

#[tokio::test]
async fn cut_answer_of_upstream_is_fetched_over_tcp() {
    let upstream = Upstream::start().await;
    let server = start(Some(index()), &[upstream.address]).await;
    let answers = over_tcp(server, &[query("big.example.com.", RecordType::A)]).await;
    assert_eq!(answers[0].answers.len(), 200);
}

#[tokio::test]
async fn cut_answer_whose_rest_cannot_be_fetched_is_handed_on() {
    let upstream = Upstream::start_without_tcp(upstream_answer).await;
    let other = Upstream::start().await;
    let server = start(Some(index()), &[upstream.address, other.address]).await;
    for asked in 1..3 {
        let answer = over_udp(server, &query("big.example.com.", RecordType::A)).await;
        assert!(answer.metadata.truncation, "{answer:?}");
        assert_eq!(answer.metadata.response_code, ResponseCode::NoError);
        assert_eq!(answer.answers.len(), 5);
        assert_eq!(upstream.asked(), asked, "it is not kept");
    }
    let answer = over_udp(server, &query("www.example.com.", RecordType::A)).await;
    assert!(!answer.metadata.truncation);
    assert_eq!(other.asked(), 0, "the server has not failed");
}

#[tokio::test]
async fn upstream_without_edns_is_asked_in_its_own_way() {
    /// Does not even repeat the question of what it does not understand.
    fn format_error(packet: &[u8]) -> Message {
        refuse_edns(packet, ResponseCode::FormErr)
    }
    fn not_implemented(packet: &[u8]) -> Message {
        refuse_edns(packet, ResponseCode::NotImp)
    }
    fn refuse_edns(packet: &[u8], code: ResponseCode) -> Message {
        let question = Message::from_vec(packet).unwrap();
        match question.edns {
            Some(_) => Message::error_msg(question.metadata.id, OpCode::Query, code),
            None => upstream_answer(packet),
        }
    }
    for answer in [format_error, not_implemented] {
        let upstream = Upstream::start_without_tcp(answer).await;
        let server = start(Some(index()), &[upstream.address]).await;
        let answer = over_udp(server, &query("www.example.com.", RecordType::A)).await;
        assert_eq!(answer.metadata.response_code, ResponseCode::NoError);
        assert_eq!(answer.answers[0].data.to_string(), "192.0.2.1");
    }
}

#[tokio::test]
async fn dead_upstream_is_passed_over() {
    // A bound socket that never answers holds the port; one that is closed refuses at once.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    silent.set_nonblocking(true).unwrap();
    let asked = || std::iter::from_fn(|| silent.recv(&mut [0; 512]).ok()).count();
    let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let refusing = closed.local_addr().unwrap();
    drop(closed);
    let upstream = Upstream::start().await;
    let upstreams = [refusing, silent.local_addr().unwrap(), upstream.address];
    let server = start(Some(index()), &upstreams).await;
    let answer = over_udp(server, &query("www.example.com.", RecordType::A)).await;
    assert_eq!(answer.answers.len(), 1);
    assert!(asked() > 0);
    // Both rest now, so the next question does not wait for them.
    let second = over_udp(server, &query("other.example.com.", RecordType::A)).await;
    assert_eq!(second.metadata.response_code, ResponseCode::NXDomain);
    assert_eq!(asked(), 0);
}

#[tokio::test]
async fn failure_of_an_upstream_server_is_kept_as_a_corefile_says() {
    for (settings, expected) in [("", 3), ("{\n servfail 5m\n}", 1)] {
        let upstream = Upstream::start().await;
        let corefile = format!(
            ". {{\n forward . {}\n cache {settings}\n}}",
            upstream.address
        );
        let (server, ..) = serve(&corefile, None).await;
        for _ in 0..3 {
            let answer = over_udp(server, &query("broken.example.com.", RecordType::A)).await;
            assert_eq!(answer.metadata.response_code, ResponseCode::ServFail);
        }
        assert_eq!(upstream.asked(), expected, "{settings}");
    }
}

#[tokio::test]
async fn without_upstream_foreign_names_fail_at_once() {
    let server = start(Some(index()), &[]).await;
    let answer = over_udp(server, &query("www.example.com.", RecordType::A)).await;
    assert_eq!(answer.metadata.response_code, ResponseCode::ServFail);
}

#[tokio::test]
async fn external_name_is_resolved_by_upstream() {
    let upstream = Upstream::start().await;
    let server = start(Some(index()), &[upstream.address]).await;
    let name = "out.default.svc.cluster.local.";
    // The second answer comes from the cache.
    for _ in 0..2 {
        let answer = over_udp(server, &query(name, RecordType::A)).await;
        let target = Name::from_ascii("www.example.com.").unwrap();
        assert_eq!(answer.answers[0].data, RData::CNAME(CNAME(target)));
        assert_eq!(answer.answers[1].data.to_string(), "192.0.2.1");
        assert!(answer.metadata.authoritative);
    }
    let lost = over_udp(
        server,
        &query("lost.default.svc.cluster.local.", RecordType::A),
    )
    .await;
    assert_eq!(lost.metadata.response_code, ResponseCode::NXDomain);
    assert_eq!((lost.answers.len(), lost.authorities.len()), (1, 1));
}

#[tokio::test]
async fn before_the_first_list_only_foreign_names_are_answered() {
    let upstream = Upstream::start().await;
    let server = start(None, &[upstream.address]).await;
    let own = over_udp(
        server,
        &query("web.default.svc.cluster.local.", RecordType::A),
    )
    .await;
    assert_eq!(own.metadata.response_code, ResponseCode::ServFail);
    let foreign = over_udp(server, &query("www.example.com.", RecordType::A)).await;
    assert_eq!(foreign.answers.len(), 1);
}

#[tokio::test]
async fn upstream_that_leads_back_is_found_and_refused() {
    let (server, chain, metrics) = serve(". {\n forward . OWN\n}", Some(index())).await;
    chain.probe().await;
    let answer = over_udp(server, &query("www.example.com.", RecordType::A)).await;
    assert_eq!(answer.metadata.response_code, ResponseCode::ServFail);
    // It was not even asked.
    let page = metrics.render();
    let line = format!("coredns_forward_requests_total{{to=\"{server}\"}} 0\n");
    assert!(page.contains(&line), "{line} is missing in:\n{page}");
}

/// Stub resolvers ask both for every name, one after the other.
#[tokio::test]
async fn clients_that_always_ask_for_both_kinds_of_addresses_spread() {
    let corefile =
        ". {\n hosts {\n 192.0.2.1 two.example\n 192.0.2.2 two.example\n}\n loadbalance\n}";
    let (server, ..) = serve(corefile, None).await;
    let mut firsts = BTreeSet::new();
    for _ in 0..40 {
        let answer = over_udp(server, &query("two.example.", RecordType::A)).await;
        assert_eq!(answer.answers.len(), 2);
        firsts.insert(answer.answers[0].data.to_string());
        let other = over_udp(server, &query("two.example.", RecordType::AAAA)).await;
        assert!(other.answers.is_empty());
    }
    assert_eq!(firsts.len(), 2);
}

/// What people edit into their Corefiles.
#[tokio::test]
async fn edits_are_in_force() {
    let upstream = Upstream::start().await;
    let corefile = format!(
        ". {{\n kubernetes cluster.local {{\n fallthrough\n}}\n hosts {{\n 192.0.2.7 db.corp.example\n ttl 60\n \
         fallthrough\n}}\n rewrite name suffix .my.domain .default.svc.cluster.local answer auto\n \
         template IN A nip.example {{\n match \"^([0-9]+)-([0-9]+)\\.nip\\.example\\.$\"\n \
         answer \"{{{{ .Name }}}} 60 IN A 10.0.{{{{ index .Match 1 }}}}.{{{{ index .Match 2 }}}}\"\n \
         fallthrough\n}}\n template IN ANY alias.example {{\n answer \"alias.example 60 IN CNAME www.example.com\"\n}}\n \
         forward . {0} {{\n except deny.example\n}}\n prometheus 127.0.0.1:9153\n log\n}}\n\
         stub.example acme.local {{\n hosts {{\n 192.0.2.8 www.stub.example\n}}\n}}\nempty.example {{\n errors\n}}",
        upstream.address
    );
    let (server, _, metrics) = serve(&corefile, Some(index())).await;
    for (name, expected) in [
        ("db.corp.example.", "192.0.2.7"),
        ("web.my.domain.", "10.96.0.9"),
        ("3-4.nip.example.", "10.0.3.4"),
        ("alias.example.", "www.example.com. 192.0.2.1"),
        ("www.stub.example.", "192.0.2.8"),
        ("gone.stub.example.", "ServFail"),
        ("www.example.com.", "192.0.2.1"),
        ("x.deny.example.", "ServFail"),
        ("x.empty.example.", "Refused"),
        ("gone.example.com.", "NXDomain"),
    ] {
        let answer = over_udp(server, &query(name, RecordType::A)).await;
        let data = answer.answers.iter().map(|one| one.data.to_string());
        let data = data.collect::<Vec<_>>().join(" ");
        let code = answer.metadata.response_code;
        let told = if code == ResponseCode::NoError {
            data
        } else {
            format!("{code:?}")
        };
        assert_eq!(told, expected, "{name}");
        assert!(
            answer
                .answers
                .first()
                .is_none_or(|first| first.name.to_ascii() == name)
        );
    }
    let page = metrics.render();
    for line in [
        "coredns_dns_requests_total{server=\"dns://:53\",zone=\".\",view=\"\",proto=\"udp\",family=\"1\",type=\"A\"} 7",
        "coredns_dns_responses_total{server=\"dns://:53\",zone=\".\",view=\"\",rcode=\"NXDOMAIN\",plugin=\"forward\"} 1",
        "coredns_dns_responses_total{server=\"dns://:53\",zone=\".\",view=\"\",rcode=\"NOERROR\",plugin=\"hosts\"} 1",
        "coredns_dns_request_duration_seconds_count{server=\"dns://:53\",zone=\".\",view=\"\"} 7",
        &format!(
            "coredns_forward_requests_total{{to=\"{}\"}} 3",
            upstream.address
        ),
    ] {
        assert!(page.contains(line), "{line} is missing in:\n{page}");
    }
}

#[tokio::test]
async fn pages_tell_life_and_readiness() {
    let page = Page::bind("127.0.0.1:0".parse().unwrap(), "/ready")
        .await
        .unwrap();
    let address = page.address().unwrap();
    let ready = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let told = ready.clone();
    tokio::spawn(page.serve_page(move || told.load(Ordering::Relaxed).then(|| "OK".to_owned())));
    // Who connects and says nothing takes nobody else's turn.
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let begun = Instant::now();
    for (well, expected) in [(false, "HTTP/1.1 503"), (true, "HTTP/1.1 200")] {
        ready.store(well, Ordering::Relaxed);
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        assert!(response.starts_with(expected), "{response}");
    }
    // One after the other, each until it is given up, would take longer.
    assert!(begun.elapsed() < ANSWER_TIMEOUT);
}
