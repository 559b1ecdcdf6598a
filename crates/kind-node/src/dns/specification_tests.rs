//! Every kind of record of the specification, from API objects to answers.

use std::collections::BTreeSet;
use std::str::FromStr;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{DNSClass, Name, Record, RecordType};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::runtime::watcher::Event;
use serde::Deserialize;

use super::answer::{Reach, answer_question};
use super::configuration::tests::block;
use super::convert;
use super::index::Index;
use super::message::{Answer, Question};
use super::model::Pods;
use super::objects::{Change, Objects};
use super::plugin::kubernetes::Kubernetes;
use super::zone;

/// The plugin as kubeadm has it.
const KUBEADM: &str = "kubernetes cluster.local in-addr.arpa ip6.arpa {\n pods insecure\n \
                       fallthrough in-addr.arpa ip6.arpa\n ttl 30\n}";

/// A cluster with services of each kind. `headless` has two slices, one hostname with two addresses
/// and one address in both slices.
#[derive(Deserialize)]
struct Cluster {
    namespaces: Vec<core::Namespace>,
    services: Vec<core::Service>,
    slices: Vec<EndpointSlice>,
}

fn cluster() -> Index {
    let cluster: Cluster = serde_json::from_str(include_str!("testdata/cluster.json")).unwrap();
    let mut objects = Objects::default();
    for object in cluster.namespaces {
        objects.apply_change(Change::Namespace(Event::Apply(convert::convert_namespace(
            object,
        ))));
    }
    for object in cluster.services {
        objects.apply_change(Change::Service(Event::Apply(convert::convert_service(
            object,
        ))));
    }
    for object in cluster.slices {
        objects.apply_change(Change::Endpoints(Event::Apply(convert::convert_slice(
            object,
        ))));
    }
    let mut index = Index::default();
    objects.refresh(&mut index);
    index
}

/// Asks the cluster.
fn ask(name: &str, kind: RecordType) -> Reach {
    ask_as(KUBEADM, name, kind)
}

/// Asks the cluster with the plugin `kubernetes` as a Corefile has it.
fn ask_as(directive: &str, name: &str, kind: RecordType) -> Reach {
    let pods = Pods::from([(
        "10.244.0.5".parse().unwrap(),
        BTreeSet::from(["default".into()]),
    )]);
    ask_knowing(Some(&pods), directive, name, kind)
}

/// The same with these pods, or before they were listed.
fn ask_knowing(pods: Option<&Pods>, directive: &str, name: &str, kind: RecordType) -> Reach {
    let kubernetes: Kubernetes = block(directive).kubernetes.unwrap();
    let question = Question {
        name: Name::from_ascii(name).unwrap(),
        kind,
        class: DNSClass::IN,
        dnssec_ok: false,
        checking_disabled: false,
    };
    let index = cluster();
    let cluster = zone::Cluster {
        index: &index,
        pods,
    };
    answer_question(&kubernetes, cluster, &question)
}

/// The data of an answer under other settings, or its code.
fn told(directive: &str, name: &str, kind: RecordType) -> String {
    match ask_as(directive, name, kind) {
        Reach::Outside { .. } => "outside".to_owned(),
        Reach::Whole(answer) if answer.code != ResponseCode::NoError => {
            format!("{:?}", answer.code)
        }
        Reach::Whole(answer) => data(&answer.answers)
            .into_iter()
            .collect::<Vec<_>>()
            .join(" "),
    }
}

fn whole(name: &str, kind: RecordType) -> Answer {
    match ask(name, kind) {
        Reach::Whole(answer) => answer,
        outside => panic!("{name} {kind}: {outside:?}"),
    }
}

/// The data of records, without their names and times.
fn data(records: &[Record]) -> BTreeSet<String> {
    records.iter().map(|one| one.data.to_string()).collect()
}

fn check(name: &str, kind: &str, expected: &[&str]) {
    let answer = whole(name, RecordType::from_str(kind).unwrap());
    let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
    assert_eq!(data(&answer.answers), expected, "{name} {kind}");
    assert_eq!(answer.answers.len(), expected.len(), "{name} {kind}: twice");
    assert_eq!(answer.code, ResponseCode::NoError, "{name} {kind}");
    assert!(answer.authoritative && answer.authorities.is_empty());
}

#[test]
fn schema_version() {
    check("dns-version.cluster.local.", "TXT", &["1.1.0"]);
}

#[test]
fn service_addresses() {
    check("kubernetes.default.svc.cluster.local.", "A", &["10.96.0.1"]);
    check("dual.default.svc.cluster.local.", "A", &["10.96.0.7"]);
    check("dual.default.svc.cluster.local.", "AAAA", &["fd00::7"]);
    check(
        "dual.default.svc.cluster.local.",
        "ANY",
        &["10.96.0.7", "fd00::7"],
    );
    check("DUAL.Default.SVC.Cluster.LOCAL.", "A", &["10.96.0.7"]);
}

#[test]
fn service_ports() {
    let dual = "dual.default.svc.cluster.local.";
    for (name, expected) in [
        (
            "_https._tcp.kubernetes.default.svc.cluster.local.",
            "0 100 443 kubernetes.default.svc.cluster.local.",
        ),
        (&format!("_dns._udp.{dual}"), &format!("0 100 53 {dual}")),
        (
            &format!("_dns-tcp._tcp.{dual}"),
            &format!("0 100 53 {dual}"),
        ),
        (&format!("_media._sctp.{dual}"), &format!("0 100 9 {dual}")),
    ] {
        check(name, "SRV", &[expected]);
    }
    let answer = whole(&format!("_dns._udp.{dual}"), RecordType::SRV);
    assert_eq!(
        data(&answer.additionals),
        BTreeSet::from(["10.96.0.7".into(), "fd00::7".into()])
    );
}

#[test]
fn service_own_name_lists_all_ports() {
    let unnamed = "unnamed.default.svc.cluster.local.";
    check(unnamed, "SRV", &[&format!("0 100 80 {unnamed}")]);
    let headless = "headless.default.svc.cluster.local.";
    let answer = whole(headless, RecordType::SRV);
    assert_eq!(answer.answers.len(), 2);
}

#[test]
fn headless_addresses() {
    let name = "headless.default.svc.cluster.local.";
    check(name, "A", &["10.244.0.5", "10.244.0.6", "10.244.0.7"]);
    check("six.default.svc.cluster.local.", "AAAA", &["fd00::a:1"]);
    check(
        &format!("my-pet.{name}"),
        "A",
        &["10.244.0.5", "10.244.0.7"],
    );
    check(&format!("10-244-0-6.{name}"), "A", &["10.244.0.6"]);
    check(
        "zero.six.default.svc.cluster.local.",
        "AAAA",
        &["fd00::a:1"],
    );
    check("eager.default.svc.cluster.local.", "A", &["10.244.0.21"]);
}

#[test]
fn headless_ports() {
    let name = "headless.default.svc.cluster.local.";
    let answer = whole(&format!("_http._tcp.{name}"), RecordType::SRV);
    let targets = [
        format!("0 50 8080 my-pet.{name}"),
        format!("0 50 8080 10-244-0-6.{name}"),
    ];
    assert_eq!(data(&answer.answers), BTreeSet::from(targets));
    let addresses = ["10.244.0.5", "10.244.0.6", "10.244.0.7"].map(String::from);
    assert_eq!(data(&answer.additionals), BTreeSet::from(addresses));
}

#[test]
fn endpoint_of_service_with_address_has_a_name() {
    let name = "172-18-0-2.kubernetes.default.svc.cluster.local.";
    check(name, "A", &["172.18.0.2"]);
}

#[test]
fn pointers() {
    for (name, expected) in [
        (
            "1.0.96.10.in-addr.arpa.",
            "kubernetes.default.svc.cluster.local.",
        ),
        (
            "5.0.244.10.in-addr.arpa.",
            "my-pet.headless.default.svc.cluster.local.",
        ),
        (
            "6.0.244.10.in-addr.arpa.",
            "10-244-0-6.headless.default.svc.cluster.local.",
        ),
        (
            "2.0.18.172.in-addr.arpa.",
            "172-18-0-2.kubernetes.default.svc.cluster.local.",
        ),
        (
            "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa.",
            "dual.default.svc.cluster.local.",
        ),
        (
            "1.0.0.0.A.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.D.F.IP6.ARPA.",
            "zero.six.default.svc.cluster.local.",
        ),
    ] {
        check(name, "PTR", &[expected]);
    }
}

#[test]
fn pods() {
    check(
        "10-244-0-5.default.pod.cluster.local.",
        "A",
        &["10.244.0.5"],
    );
    check("fd00--a-1.empty.pod.cluster.local.", "AAAA", &["fd00::a:1"]);
}

#[test]
fn zone_itself() {
    check(
        "cluster.local.",
        "NS",
        &["kube-dns.kube-system.svc.cluster.local."],
    );
    let soa = "ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 30";
    check("cluster.local.", "SOA", &[soa]);
    check("ns.dns.cluster.local.", "A", &["10.96.0.10"]);
    let answer = whole("cluster.local.", RecordType::NS);
    assert_eq!(
        data(&answer.additionals),
        BTreeSet::from(["10.96.0.10".into()])
    );
}

#[test]
fn external_names() {
    check(
        "outside.default.svc.cluster.local.",
        "CNAME",
        &["www.example.com."],
    );
    let inside = "dual.default.svc.cluster.local.";
    check(
        "inside.default.svc.cluster.local.",
        "A",
        &[inside, "10.96.0.7"],
    );

    match ask("outside.default.svc.cluster.local.", RecordType::A) {
        Reach::Outside { aliases, name } => {
            assert_eq!(name.to_ascii(), "www.example.com.");
            assert_eq!(data(&aliases), BTreeSet::from(["www.example.com.".into()]));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn external_name_that_leads_nowhere_keeps_the_alias() {
    let answer = whole("nowhere.default.svc.cluster.local.", RecordType::A);
    assert_eq!(answer.code, ResponseCode::NXDomain);
    assert_eq!(answer.answers.len(), 1);
    assert_eq!(answer.authorities.len(), 1);
}

#[test]
fn external_name_that_leads_to_itself_ends() {
    let answer = whole("ring.default.svc.cluster.local.", RecordType::A);
    assert_eq!(answer.code, ResponseCode::ServFail);
}

/// Names that exist, asked for records they do not have.
const EMPTY: [(&str, RecordType); 16] = [
    ("cluster.local.", RecordType::A),
    ("svc.cluster.local.", RecordType::A),
    ("pod.cluster.local.", RecordType::A),
    ("default.svc.cluster.local.", RecordType::A),
    ("empty.svc.cluster.local.", RecordType::A),
    ("empty.pod.cluster.local.", RecordType::A),
    ("dns-version.cluster.local.", RecordType::A),
    ("kubernetes.default.svc.cluster.local.", RecordType::AAAA),
    ("kubernetes.default.svc.cluster.local.", RecordType::MX),
    ("headless.default.svc.cluster.local.", RecordType::AAAA),
    (
        "my-pet.headless.default.svc.cluster.local.",
        RecordType::AAAA,
    ),
    (
        "my-pet.headless.default.svc.cluster.local.",
        RecordType::SRV,
    ),
    (
        "_tcp.kubernetes.default.svc.cluster.local.",
        RecordType::SRV,
    ),
    (
        "_https._tcp.kubernetes.default.svc.cluster.local.",
        RecordType::A,
    ),
    ("10-244-0-5.default.pod.cluster.local.", RecordType::AAAA),
    ("fd00--1.default.pod.cluster.local.", RecordType::A),
];

#[test]
fn name_without_such_records_is_no_error() {
    for (name, kind) in EMPTY {
        let answer = whole(name, kind);
        assert_eq!(answer.code, ResponseCode::NoError, "{name} {kind}");
        assert!(answer.answers.is_empty(), "{name} {kind}");
        assert_eq!(answer.authorities[0].record_type(), RecordType::SOA);
        assert_eq!(answer.authorities[0].name.to_ascii(), "cluster.local.");
    }
}

/// Names that do not exist.
const MISSING: [&str; 22] = [
    "gone.cluster.local.",
    "gone.svc.cluster.local.",
    "gone.pod.cluster.local.",
    "gone.default.svc.cluster.local.",
    "kubernetes.gone.svc.cluster.local.",
    "a.kubernetes.default.svc.cluster.local.",
    "a.b.c.kubernetes.default.svc.cluster.local.",
    "_udp.kubernetes.default.svc.cluster.local.",
    "_https._udp.kubernetes.default.svc.cluster.local.",
    "_gone._tcp.kubernetes.default.svc.cluster.local.",
    "https.tcp.kubernetes.default.svc.cluster.local.",
    "_._tcp.unnamed.default.svc.cluster.local.",
    "starting.default.svc.cluster.local.",
    "10-244-0-20.starting.default.svc.cluster.local.",
    "late.headless.default.svc.cluster.local.",
    "a.outside.default.svc.cluster.local.",
    "x.dns-version.cluster.local.",
    "10-244-0-5.gone.pod.cluster.local.",
    "10-244-0.default.pod.cluster.local.",
    "my-pod.default.pod.cluster.local.",
    "x.10-244-0-5.default.pod.cluster.local.",
    "*.default.svc.cluster.local.",
];

#[test]
fn name_that_does_not_exist_is_an_error_for_every_type() {
    for name in MISSING {
        for kind in [RecordType::A, RecordType::SRV, RecordType::TXT] {
            let answer = whole(name, kind);
            assert_eq!(answer.code, ResponseCode::NXDomain, "{name} {kind}");
            assert!(answer.answers.is_empty() && answer.authoritative);
            assert_eq!(answer.authorities[0].record_type(), RecordType::SOA);
        }
    }
}

#[test]
fn foreign_names_are_left_to_others() {
    for (name, kind) in [
        (".", RecordType::NS),
        ("local.", RecordType::A),
        ("www.example.com.", RecordType::A),
        ("xcluster.local.", RecordType::A),
        ("cluster.local.example.com.", RecordType::A),
        ("9.9.9.9.in-addr.arpa.", RecordType::PTR),
        ("0.96.10.in-addr.arpa.", RecordType::PTR),
        ("1.0.96.10.in-addr.arpa.", RecordType::A),
        ("9.0.244.10.in-addr.arpa.", RecordType::PTR),
    ] {
        assert!(matches!(ask(name, kind), Reach::Outside { .. }), "{name}");
    }
}

/// What properties of the plugin do: the property, a name, a type, what is told.
const SETTINGS: [(&str, &str, RecordType, &str); 18] = {
    const SERVICE: &str = "kubernetes.default.svc.cluster.local.";
    const POD: &str = "10-244-0-5.default.pod.cluster.local.";
    const OTHER_POD: &str = "10-244-0-9.default.pod.cluster.local.";
    const STRANGE_POD: &str = "10-244-0-5.empty.pod.cluster.local.";
    const A: RecordType = RecordType::A;
    const PTR: RecordType = RecordType::PTR;
    [
        ("pods disabled", POD, A, "NXDomain"),
        ("pods insecure", POD, A, "10.244.0.5"),
        ("pods verified", POD, A, "10.244.0.5"),
        ("pods verified", OTHER_POD, A, "NXDomain"),
        ("pods verified", STRANGE_POD, A, "NXDomain"),
        ("ttl 5", "9.9.9.9.in-addr.arpa.", PTR, "NXDomain"),
        ("fallthrough", "9.9.9.9.in-addr.arpa.", PTR, "outside"),
        (
            "fallthrough in-addr.arpa",
            "gone.cluster.local.",
            A,
            "NXDomain",
        ),
        ("fallthrough", "gone.cluster.local.", A, "outside"),
        ("namespaces default", SERVICE, A, "10.96.0.1"),
        ("namespaces empty", SERVICE, A, "NXDomain"),
        (
            "namespaces empty",
            "default.svc.cluster.local.",
            A,
            "NXDomain",
        ),
        (
            "namespaces empty",
            "1.0.96.10.in-addr.arpa.",
            PTR,
            "NXDomain",
        ),
        (
            "noendpoints",
            "headless.default.svc.cluster.local.",
            A,
            "NXDomain",
        ),
        ("noendpoints", SERVICE, A, "10.96.0.1"),
        (
            "noendpoints",
            "1.0.96.10.in-addr.arpa.",
            PTR,
            "kubernetes.default.svc.cluster.local.",
        ),
        ("noendpoints", "6.0.244.10.in-addr.arpa.", PTR, "NXDomain"),
        (
            "ignore empty_service",
            "dual.default.svc.cluster.local.",
            A,
            "NXDomain",
        ),
    ]
};

#[test]
fn before_pods_are_known_no_name_of_theirs_is_denied() {
    for (property, name, expected) in [
        (
            "pods verified",
            "10-244-0-5.default.pod.cluster.local.",
            ResponseCode::ServFail,
        ),
        (
            "pods verified",
            "10-244-0-5.gone.pod.cluster.local.",
            ResponseCode::NXDomain,
        ),
        (
            "pods insecure",
            "10-244-0-5.default.pod.cluster.local.",
            ResponseCode::NoError,
        ),
    ] {
        let directive =
            format!("kubernetes cluster.local {{\n {property}\n fallthrough in-addr.arpa\n}}");
        match ask_knowing(None, &directive, name, RecordType::A) {
            Reach::Whole(answer) => assert_eq!(answer.code, expected, "{property} {name}"),
            outside @ Reach::Outside { .. } => panic!("{property} {name}: {outside:?}"),
        }
    }
}

#[test]
fn settings_change_answers() {
    let zones = "kubernetes cluster.local in-addr.arpa";
    for (property, name, kind, expected) in SETTINGS {
        let directive = format!("{zones} {{\n {property}\n}}");
        assert_eq!(told(&directive, name, kind), expected, "{property} {name}");
    }
    let lonely = "kubernetes cluster.local";
    assert_eq!(
        told(lonely, "1.0.96.10.in-addr.arpa.", RecordType::PTR),
        "outside"
    );
    let soa = told(zones, "in-addr.arpa.", RecordType::SOA);
    let expected = "ns.dns.in-addr.arpa. hostmaster.in-addr.arpa. 1 7200 1800 86400 5";
    assert_eq!(soa, expected);
}

#[test]
fn addresses_begin_elsewhere_each_time() {
    let answer = whole("headless.default.svc.cluster.local.", RecordType::A);
    let firsts: BTreeSet<String> = (0..3)
        .map(|id| answer.clone().rotated(id).answers[0].data.to_string())
        .collect();
    assert_eq!(firsts.len(), 3);
    let alias = whole("inside.default.svc.cluster.local.", RecordType::A);
    let rotated = alias.rotated(1);
    assert_eq!(rotated.answers[0].record_type(), RecordType::CNAME);
}
