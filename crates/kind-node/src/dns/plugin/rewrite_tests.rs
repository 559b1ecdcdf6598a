//! Rules, questions, and what becomes of answers.

use std::net::Ipv4Addr;

use hickory_proto::rr::rdata::A;
use kind_node::corefile::{self, Environment};

use super::*;

struct Nothing;

impl Environment for Nothing {
    fn variable(&self, _: &str) -> String {
        String::new()
    }

    fn files(&self, _: &str) -> Vec<(String, String)> {
        Vec::new()
    }
}

fn rules(text: &str) -> Result<Vec<Rule>, DirectiveError> {
    let blocks = corefile::parse(&format!(". {{\n{text}\n}}"), "Corefile", &Nothing).unwrap();
    blocks[0]
        .directives
        .iter()
        .map(Rule::read_directive)
        .collect()
}

fn question(name: &str) -> Question {
    Question {
        name: Name::from_ascii(name).unwrap(),
        kind: RecordType::A,
        class: DNSClass::IN,
        dnssec_ok: false,
        checking_disabled: false,
    }
}

/// The name that is asked in the end, and that of the answer to it as the client sees it.
fn names(rules: &[Rule], name: &str) -> (String, String) {
    let mut question = question(name);
    let changes = rewrite_question(rules, &mut question).unwrap();
    let address = RData::A(A(Ipv4Addr::LOCALHOST));
    let mut answer = Answer {
        answers: vec![Record::from_rdata(question.name.clone(), 30, address)],
        ..Answer::without_records(ResponseCode::NoError)
    };
    change_answer(&mut answer, &changes);
    (question.name.to_ascii(), answer.answers[0].name.to_ascii())
}

/// Rules, a name, what is asked in its place, and the name that the client sees in the answer.
const NAMES: [(&str, &str, &str, &str); 12] = [
    (
        "rewrite name a.example b.example",
        "a.example.",
        "b.example.",
        "a.example.",
    ),
    (
        "rewrite name exact A.example. b.example",
        "a.EXAMPLE.",
        "b.example.",
        "a.example.",
    ),
    (
        "rewrite name a.example b.example",
        "x.a.example.",
        "x.a.example.",
        "x.a.example.",
    ),
    (
        "rewrite name prefix web- app-",
        "web-1.example.",
        "app-1.example.",
        "app-1.example.",
    ),
    (
        "rewrite name prefix web- app- answer auto",
        "web-1.example.",
        "app-1.example.",
        "web-1.example.",
    ),
    (
        "rewrite name suffix .old. .new.",
        "x.old.",
        "x.new.",
        "x.new.",
    ),
    (
        "rewrite name suffix .old .new answer auto",
        "x.old.",
        "x.new.",
        "x.old.",
    ),
    (
        "rewrite name substring us-west eu",
        "a.us-west.example.",
        "a.eu.example.",
        "a.eu.example.",
    ),
    (
        "rewrite name regex (.*)-(us)\\.example\\. {1}.service.{2}.consul answer name \
         (.*)\\.service\\.(us)\\.consul\\. {1}-{2}.example.",
        "ftp-us.example.",
        "ftp.service.us.consul.",
        "ftp-us.example.",
    ),
    (
        "rewrite stop {\n name regex (.*)\\.my\\.domain {1}.default.svc.cluster.local\n answer auto\n}",
        "web.my.domain.",
        "web.default.svc.cluster.local.",
        "web.my.domain.",
    ),
    (
        "rewrite continue name a. b.\nrewrite name b. c.",
        "a.",
        "c.",
        "a.",
    ),
    ("rewrite name a. b.\nrewrite name b. c.", "a.", "b.", "a."),
];

#[test]
fn names_are_rewritten_and_answers_back() {
    for (text, asked, sent, answered) in NAMES {
        let seen = names(&rules(text).unwrap(), asked);
        assert_eq!(seen, (sent.to_owned(), answered.to_owned()), "{text}");
    }
}

#[test]
fn other_fields_are_rewritten() {
    let rules = rules(
        "rewrite continue type ANY A\nrewrite continue class CH IN\nrewrite continue ttl suffix example. 30-60\n\
         rewrite rcode example. SERVFAIL NOERROR",
    )
    .unwrap();
    let mut asked = Question {
        kind: RecordType::ANY,
        class: DNSClass::CH,
        ..question("example.")
    };
    let changes = rewrite_question(&rules, &mut asked).unwrap();
    assert_eq!((asked.kind, asked.class), (RecordType::A, DNSClass::IN));
    let record = |ttl| Record::from_rdata(Name::root(), ttl, RData::A(A(Ipv4Addr::LOCALHOST)));
    let mut answer = Answer {
        answers: vec![record(5), record(45), record(90)],
        ..Answer::without_records(ResponseCode::ServFail)
    };
    change_answer(&mut answer, &changes);
    let times: Vec<u32> = answer.answers.iter().map(|one| one.ttl).collect();
    assert_eq!(
        (answer.code, times),
        (ResponseCode::NoError, vec![30, 45, 60])
    );
}

#[test]
fn names_that_records_point_at_are_rewritten() {
    let rules = rules(
        "rewrite stop {\n name suffix .arpa .arpa\n answer name auto\n answer value (.*)\\.consul\\. {1}.rocks.\n}",
    );
    let mut asked = question("10.in-addr.arpa.");
    let changes = rewrite_question(&rules.unwrap(), &mut asked).unwrap();
    let target = RData::PTR(PTR(Name::from_ascii("ftp.consul.").unwrap()));
    let mut answer = Answer {
        answers: vec![Record::from_rdata(asked.name, 60, target)],
        ..Answer::without_records(ResponseCode::NoError)
    };
    change_answer(&mut answer, &changes);
    assert_eq!(answer.answers[0].data.to_string(), "ftp.rocks.");
}

#[test]
fn wrong_rules_are_refused_and_strange_ones_not_supported() {
    for text in [
        "rewrite",
        "rewrite name a",
        "rewrite name glob a b",
        "rewrite name regex ( b",
        "rewrite type A",
        "rewrite type A NONE",
        "rewrite ttl a. 9-3",
        "rewrite colour a b",
        "rewrite name exact a b question",
        "rewrite name exact a b answer",
        "rewrite rcode a. 1 99",
    ] {
        assert!(
            matches!(rules(text), Err(DirectiveError::Invalid(_))),
            "{text}"
        );
    }
    for text in [
        "rewrite edns0 local set 0xffee 0x61",
        "rewrite cname exact a. b.",
    ] {
        assert!(
            matches!(rules(text), Err(DirectiveError::NotSupported(_))),
            "{text}"
        );
    }
}

#[test]
fn name_that_becomes_none_is_an_error() {
    let rules = rules("rewrite name suffix .a. ..b.").unwrap();
    assert_eq!(
        rewrite_question(&rules, &mut question("x.a.")).unwrap_err(),
        NotAName
    );
}
