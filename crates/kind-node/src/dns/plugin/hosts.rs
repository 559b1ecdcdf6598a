//! `hosts`: addresses from the lines of a file like `/etc/hosts`, and from lines in the Corefile.

use std::collections::HashMap;
use std::net::IpAddr;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::PTR;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use kind_node::corefile::{Directive, Environment};

use super::super::message::{Answer, Question};
use super::super::zone::{address_of_arpa, address_record};
use super::arguments::{self, DirectiveError, Lines, invalid_directive};
use super::zones::{Fallthrough, Zones};

/// Seconds that clients may keep a record, where nothing is said.
const TTL: u32 = 3600;

/// The longest that may be said.
const LONGEST_TTL: u32 = 65_535;

/// The file, where none is named.
const FILE: &str = "/etc/hosts";

/// The directive with the addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hosts {
    zones: Zones,
    ttl: u32,
    no_reverse: bool,
    fallthrough: Fallthrough,
    pass_other_types: bool,
    addresses: HashMap<Name, Vec<IpAddr>>,
    names: HashMap<IpAddr, Vec<Name>>,
}

impl Hosts {
    /// Reads `hosts [FILE [ZONES…]] { … }`. A file that is not there has no lines, as CoreDNS has it.
    pub(crate) fn read_directive(
        directive: &Directive,
        around: &Zones,
        environment: &dyn Environment,
        lines: &mut Lines<'_>,
    ) -> Result<Self, DirectiveError> {
        let (file, zones) = match directive.arguments.split_first() {
            Some((file, zones)) => (file.as_str(), zones),
            None => (FILE, &[][..]),
        };
        let mut hosts = Self {
            zones: arguments::parse_zones(zones, around)?,
            ttl: TTL,
            no_reverse: false,
            fallthrough: Fallthrough::default(),
            pass_other_types: false,
            addresses: HashMap::new(),
            names: HashMap::new(),
        };
        lines.read_each(directive, |line| hosts.read_line(line));
        for (_, text) in environment.files(file) {
            hosts.add_file(&text);
        }
        Ok(hosts)
    }

    fn read_line(&mut self, line: &Directive) -> Result<(), DirectiveError> {
        match line.name.as_str() {
            "ttl" => {
                self.ttl = arguments::parse_number(arguments::one_argument(line)?)?;
                if self.ttl == 0 || self.ttl > LONGEST_TTL {
                    return invalid_directive(format!("must be from 1 to {LONGEST_TTL}"));
                }
            }
            "no_reverse" => self.no_reverse = true,
            "fallthrough" => self.fallthrough = arguments::parse_fallthrough(line)?,
            "fallthrough_unsupported" => self.pass_other_types = true,
            // Files are looked at again every few seconds whatever is said.
            "reload" => drop(arguments::parse_duration(arguments::one_argument(line)?)?),
            address => match address.parse() {
                Ok(address) => {
                    for host in &line.arguments {
                        if !self.add_address(address, host) {
                            return invalid_directive(format!("{host:?} is not a domain name"));
                        }
                    }
                }
                Err(_) => return invalid_directive("is neither an address nor a property"),
            },
        }
        Ok(())
    }

    /// Adds the lines of a file; those that are wrong count for nothing.
    fn add_file(&mut self, text: &str) {
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let address = words.next().and_then(|word| word.parse().ok());
            if let Some(address) = address {
                for host in words {
                    self.add_address(address, host);
                }
            }
        }
    }

    /// Adds an address of a name; tells whether it is a name.
    fn add_address(&mut self, address: IpAddr, host: &str) -> bool {
        let Ok(mut name) = Name::from_ascii(host) else {
            return false;
        };
        name.set_fqdn(true);
        let name = name.to_lowercase();
        if self.zones.matching(&name).is_none() {
            // Right, but of other zones.
            return true;
        }
        let known = self.addresses.entry(name.clone()).or_default();
        if !known.contains(&address) {
            known.push(address);
        }
        let names = self.names.entry(address).or_default();
        if !name.is_wildcard() && !names.contains(&name) {
            names.push(name);
        }
        true
    }

    /// Answers, or passes the question on.
    pub(crate) fn answer_question(&self, question: &Question) -> Option<Answer> {
        let name = &question.name;
        let pointer = question.kind == RecordType::PTR;
        if self.zones.matching(name).is_none() && !pointer {
            return None;
        }
        let known = self.addresses_of(name);
        let records: Vec<Record> = match question.kind {
            RecordType::PTR => self.pointer_records(name),
            _ => known
                .into_iter()
                .flatten()
                .map(|address| address_record(name, *address, self.ttl))
                .filter(|record| record.record_type() == question.kind)
                .collect(),
        };
        let is_address = question.kind.is_ip_addr();
        let passes = self.fallthrough.passes(name);
        if pointer && records.is_empty() || !is_address && self.pass_other_types && passes {
            return None;
        }
        if records.is_empty() && known.is_none() {
            // There is no zone that could tell that the name does not exist.
            return (!passes).then(|| Answer::without_records(ResponseCode::ServFail));
        }
        Some(Answer {
            authoritative: true,
            answers: records,
            ..Answer::without_records(ResponseCode::NoError)
        })
    }

    /// The addresses of a name, or of the `*` beside it.
    fn addresses_of(&self, name: &Name) -> Option<&Vec<IpAddr>> {
        let name = name.to_lowercase();
        let exact = self.addresses.get(&name);
        exact.or_else(|| {
            let wildcard = name.base_name().prepend_label("*").ok()?;
            self.addresses.get(&wildcard)
        })
    }

    /// The names of the address that a name such as `1.0.0.10.in-addr.arpa.` is for.
    fn pointer_records(&self, name: &Name) -> Vec<Record> {
        let address = address_of_arpa(name).filter(|_| !self.no_reverse);
        let names = address.and_then(|address| self.names.get(&address));
        let pointer = |host: &Name| {
            let data = RData::PTR(PTR(host.clone()));
            Record::from_rdata(name.clone(), self.ttl, data)
        };
        names.into_iter().flatten().map(pointer).collect()
    }

    /// How many addresses there are.
    pub(crate) fn entries(&self) -> usize {
        self.addresses.values().map(Vec::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::DNSClass;

    use super::super::super::configuration::tests::block;
    use super::*;

    /// What hosts say to a question: data, a code, or nothing.
    fn told(directive: &str, name: &str, kind: RecordType) -> String {
        let hosts = block(directive).hosts.unwrap();
        let question = Question {
            name: Name::from_ascii(name).unwrap(),
            kind,
            class: DNSClass::IN,
            dnssec_ok: false,
            checking_disabled: false,
        };
        match hosts.answer_question(&question) {
            None => "next".to_owned(),
            Some(answer) if answer.code != ResponseCode::NoError => format!("{:?}", answer.code),
            Some(answer) => {
                let data = answer
                    .answers
                    .iter()
                    .map(|one| format!("{} {}", one.ttl, one.data));
                data.collect::<Vec<_>>().join(", ")
            }
        }
    }

    #[test]
    fn answers_of_hosts() {
        let (a, aaaa, ptr, txt) = (
            RecordType::A,
            RecordType::AAAA,
            RecordType::PTR,
            RecordType::TXT,
        );
        let lines = "192.0.2.1 a.example b.example\n 192.0.2.2 a.example\n 192.0.2.3 *.wild.example\n fd00::1 a.example";
        let plain = format!("hosts {{\n {lines}\n}}");
        let falls = format!("hosts {{\n {lines}\n ttl 60\n no_reverse\n fallthrough example\n}}");
        let passes = format!("hosts {{\n {lines}\n fallthrough\n fallthrough_unsupported\n}}");
        let zone = format!("hosts corp.hosts example {{\n {lines}\n}}");
        for (directive, name, kind, expected) in [
            (&plain, "A.example.", a, "3600 192.0.2.1, 3600 192.0.2.2"),
            (&plain, "a.example.", aaaa, "3600 fd00::1"),
            (&plain, "b.example.", aaaa, ""),
            (&plain, "b.example.", txt, ""),
            (&plain, "gone.example.", a, "ServFail"),
            (&plain, "x.wild.example.", a, "3600 192.0.2.3"),
            (&plain, "x.y.wild.example.", a, "ServFail"),
            (&plain, "wild.example.", a, "ServFail"),
            (
                &plain,
                "1.2.0.192.in-addr.arpa.",
                ptr,
                "3600 a.example., 3600 b.example.",
            ),
            (&plain, "3.2.0.192.in-addr.arpa.", ptr, "next"),
            (&plain, "9.2.0.192.in-addr.arpa.", ptr, "next"),
            (&falls, "a.example.", a, "60 192.0.2.1, 60 192.0.2.2"),
            (&falls, "gone.example.", a, "next"),
            (&falls, "gone.other.", a, "ServFail"),
            (&falls, "1.2.0.192.in-addr.arpa.", ptr, "next"),
            (&passes, "a.example.", txt, "next"),
            (&zone, "file.example.", a, "3600 192.0.2.7"),
            (&zone, "other.", a, "next"),
        ] {
            assert_eq!(told(directive, name, kind), expected, "{directive} {name}");
        }
    }
}
