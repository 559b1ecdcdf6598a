//! `template`: answers made of the question.

use std::net::IpAddr;
use std::str::FromStr;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{DNSClass, RData, Record, RecordType};
use kind_node::corefile::Directive;
use regex_lite::{Captures, Regex};

use super::super::message::{Answer, Question};
use super::arguments::{self, DirectiveError, Lines, invalid_directive, not_supported};
use super::expression::compile_expression;
use super::go_template::{GoTemplate, Values};
use super::zones::{Fallthrough, Zones};

/// Seconds that clients may keep a record whose text does not say so.
const TTL: u32 = 3600;

/// The directive.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    zones: Zones,
    /// No class or type stands for any.
    class: Option<DNSClass>,
    kind: Option<RecordType>,
    expressions: Vec<Regex>,
    answers: Vec<GoTemplate>,
    additionals: Vec<GoTemplate>,
    authorities: Vec<GoTemplate>,
    code: ResponseCode,
    fallthrough: Fallthrough,
}

impl Template {
    /// Reads `template CLASS TYPE [ZONES…] { … }`. With a text that is not supported none of it is: an answer
    /// without that record would be a wrong one, and names that others know would be gone.
    pub(crate) fn read_directive(
        directive: &Directive,
        around: &Zones,
        lines: &mut Lines<'_>,
    ) -> Result<Self, DirectiveError> {
        let [class, kind, zones @ ..] = directive.arguments.as_slice() else {
            return invalid_directive("needs a class and a type");
        };
        let mut template = Self {
            zones: arguments::parse_zones(zones, around)?,
            class: any_or(class)?,
            kind: any_or(kind)?,
            expressions: Vec::new(),
            answers: Vec::new(),
            additionals: Vec::new(),
            authorities: Vec::new(),
            code: ResponseCode::NoError,
            fallthrough: Fallthrough::default(),
        };
        let mut unsupported = None;
        lines.read_each(directive, |line| match template.read_line(line) {
            Err(fault @ DirectiveError::NotSupported(_)) if is_text(line) => {
                unsupported.get_or_insert(fault);
                Ok(())
            }
            read => read,
        });
        unsupported.map_or(Ok(template), Err)
    }

    fn read_line(&mut self, line: &Directive) -> Result<(), DirectiveError> {
        let texts = || {
            if line.arguments.is_empty() {
                return invalid_directive("needs a text");
            }
            let texts = line.arguments.iter();
            texts
                .map(|text| GoTemplate::parse_template(text))
                .collect::<Result<Vec<_>, _>>()
        };
        match line.name.as_str() {
            "match" if line.arguments.is_empty() => {
                return invalid_directive("needs an expression");
            }
            "match" => {
                for text in &line.arguments {
                    self.expressions.push(compile_expression(text)?);
                }
            }
            "answer" => self.answers.extend(texts()?),
            "additional" => self.additionals.extend(texts()?),
            "authority" => self.authorities.extend(texts()?),
            "rcode" => self.code = response_code(arguments::one_argument(line)?)?,
            "fallthrough" => self.fallthrough = arguments::parse_fallthrough(line)?,
            // Long without a meaning, still often written.
            "upstream" => {}
            "ederror" | "var" | "expr" => return not_supported("answers go without it"),
            _ => return invalid_directive("unknown property"),
        }
        Ok(())
    }

    /// Answers, or passes the question on.
    pub(crate) fn answer_question(&self, question: &Question, client: IpAddr) -> Option<Answer> {
        let zone = self.zones.matching(&question.name)?;
        let class_fits = self.class.is_none_or(|class| class == question.class);
        let any = question.kind == RecordType::ANY;
        let type_fits = any || self.kind.is_none_or(|kind| kind == question.kind);
        if !class_fits || !type_fits {
            return None;
        }
        let name = question.name.to_lowercase().to_ascii();
        let mut values = Values {
            zone: zone.to_ascii(),
            class: question.class.to_string(),
            kind: question.kind.to_string(),
            remote: client.to_string(),
            ..Values::default()
        };
        if !self.expressions.is_empty() {
            let matching = self.expressions.iter();
            let mut matching =
                matching.filter_map(|one| one.captures(&name).map(|found| (one, found)));
            let Some((expression, found)) = matching.next() else {
                let passes = self.fallthrough.passes(&question.name);
                return (!passes).then(|| Answer::without_records(ResponseCode::ServFail));
            };
            values.groups = capture_groups(expression, &found);
        }
        values.name = name;
        let answer = self.fill(&values);
        // A text that is no record is a mistake of its author's.
        Some(answer.unwrap_or_else(|| Answer::without_records(ResponseCode::ServFail)))
    }

    fn fill(&self, values: &Values) -> Option<Answer> {
        let records = |templates: &[GoTemplate]| {
            let texts = templates.iter().map(|one| one.fill(values));
            texts
                .map(|text| parse_record(&text))
                .collect::<Option<Vec<_>>>()
        };
        Some(Answer {
            authoritative: true,
            answers: records(&self.answers)?,
            authorities: records(&self.authorities)?,
            additionals: records(&self.additionals)?,
            ..Answer::without_records(self.code)
        })
    }
}

/// Tells whether a line has texts of records.
fn is_text(line: &Directive) -> bool {
    matches!(line.name.as_str(), "answer" | "additional" | "authority")
}

/// What each group matched, by its number and its name.
fn capture_groups(
    expression: &Regex,
    found: &Captures<'_>,
) -> std::collections::BTreeMap<String, String> {
    let text = |index| {
        found
            .get(index)
            .map_or("", |group| group.as_str())
            .to_owned()
    };
    let numbered = (0..found.len()).map(|index| (index.to_string(), text(index)));
    let names = expression.capture_names().enumerate();
    let named = names.filter_map(|(index, name)| Some((name?.to_owned(), text(index))));
    numbered.chain(named).collect()
}

/// Reads a class or a type; `ANY` stands for all.
fn any_or<T: FromStr>(text: &str) -> Result<Option<T>, DirectiveError> {
    let upper = text.to_ascii_uppercase();
    if upper == "ANY" {
        return Ok(None);
    }
    let known = upper.parse().map(Some);
    known.or_else(|_| invalid_directive(format!("{text:?} is not known")))
}

/// Response codes by name.
const CODES: [(&str, u16); 11] = [
    ("NOERROR", 0),
    ("FORMERR", 1),
    ("SERVFAIL", 2),
    ("NXDOMAIN", 3),
    ("NOTIMP", 4),
    ("REFUSED", 5),
    ("YXDOMAIN", 6),
    ("YXRRSET", 7),
    ("NXRRSET", 8),
    ("NOTAUTH", 9),
    ("NOTZONE", 10),
];

/// All response codes that have a name, with their numbers.
pub(crate) fn code_names() -> impl Iterator<Item = (&'static str, u16)> {
    CODES.into_iter()
}

/// Reads a response code by its name or number.
pub(crate) fn response_code(text: &str) -> Result<ResponseCode, DirectiveError> {
    let upper = text.to_ascii_uppercase();
    let mut named =
        code_names().filter(|(name, number)| *name == upper || number.to_string() == upper);
    match named.next() {
        Some((_, number)) => Ok(ResponseCode::from(
            0,
            u8::try_from(number).unwrap_or_default(),
        )),
        None => invalid_directive(format!("{text:?} is not a response code")),
    }
}

/// Reads a record as zone files write it: `NAME [TTL] [CLASS] TYPE DATA`, time and class in any order.
fn parse_record(text: &str) -> Option<Record> {
    let mut rest = text.trim();
    let mut word = || {
        let (word, behind) = rest.split_once(char::is_whitespace)?;
        rest = behind.trim_start();
        Some(word)
    };
    let name = super::zones::read_zones(word()?)?.pop()?;
    let (mut ttl, mut class) = (TTL, DNSClass::IN);
    let kind = loop {
        let word = word()?;
        match (word.parse::<u32>(), word.to_ascii_uppercase().as_str()) {
            (Ok(seconds), _) => ttl = seconds,
            (_, upper @ ("IN" | "CH" | "HS")) => class = DNSClass::from_str(upper).ok()?,
            (_, upper) => break RecordType::from_str(upper).ok()?,
        }
    };
    let data = RData::try_from_str(kind, rest).ok()?;
    let mut record = Record::from_rdata(name, ttl, data);
    record.dns_class = class;
    Some(record)
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::Name;

    use super::super::super::configuration::tests::block;
    use super::*;

    fn told(directive: &str, name: &str, kind: RecordType, class: DNSClass) -> String {
        let template = block(directive).templates.remove(0);
        let question = Question {
            name: Name::from_ascii(name).unwrap(),
            kind,
            class,
            dnssec_ok: false,
            checking_disabled: false,
        };
        let Some(answer) = template.answer_question(&question, "192.0.2.9".parse().unwrap()) else {
            return "next".to_owned();
        };
        let records = answer.answers.iter().chain(&answer.authorities);
        let records = records.map(|one| format!("{} {} {}", one.name, one.ttl, one.data));
        let mut told = vec![format!("{:?}", answer.code)];
        told.extend(records);
        told.join(", ")
    }

    #[test]
    fn answers_of_templates() {
        let (a, txt, class) = (RecordType::A, RecordType::TXT, DNSClass::IN);
        let nothing = "template ANY ANY {\n rcode NXDOMAIN\n authority \"example. 60 IN SOA ns.example. h.example. (1 60 60 60 60)\"\n}";
        let nip = "template IN A nip.example {\n match \"^(?P<a>[0-9]+)\\.nip\\.example\\.$\"\n answer \"{{ .Name }} 60 IN A 10.0.0.{{ .Group.a }}\"\n}";
        let falls = nip.replace("\n}", "\n fallthrough\n}");
        let who =
            "template IN TXT who.example {\n answer \"{{ .Name }} TXT \\\"{{ .Remote }}\\\"\"\n}";
        for (directive, name, kind, class, expected) in [
            (
                nothing,
                "x.example.",
                a,
                class,
                "NXDomain, example. 60 ns.example. h.example. 1 60 60 60 60",
            ),
            (
                nip,
                "7.NIP.example.",
                a,
                class,
                "NoError, 7.nip.example. 60 10.0.0.7",
            ),
            (nip, "7.nip.example.", txt, class, "next"),
            (nip, "7.nip.example.", a, DNSClass::CH, "next"),
            (nip, "7.other.", a, class, "next"),
            (nip, "x.nip.example.", a, class, "ServFail"),
            (&falls, "x.nip.example.", a, class, "next"),
            // No record: an address that is too large.
            (nip, "700.nip.example.", a, class, "ServFail"),
            (
                who,
                "who.example.",
                txt,
                class,
                "NoError, who.example. 3600 192.0.2.9",
            ),
        ] {
            assert_eq!(
                told(directive, name, kind, class),
                expected,
                "{directive} {name}"
            );
        }
    }
}
