//! `log`: a line for each question and its answer.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::Name;
use kind_node::corefile::Directive;

use super::super::message::{Question, Summary};
use super::arguments::{self, DirectiveError, Lines, invalid_directive};
use super::template;
use super::zones::Zones;

/// What is written where nothing is said.
const COMMON: &str = "{remote}:{port} - {>id} \"{type} {class} {name} {proto} {size} {>do} {>bufsize}\" \
                      {rcode} {>rflags} {rsize} {duration}";

/// The same with the operation.
const COMBINED: &str = "{remote}:{port} - {>id} \"{type} {class} {name} {proto} {size} {>do} {>bufsize}\" \
                        {rcode} {>rflags} {rsize} {duration} \"{>opcode}\"";

/// One directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogRule {
    names: Zones,
    format: String,
    /// None stands for all.
    classes: Vec<Class>,
}

/// Kinds of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Success,
    Denial,
    Error,
}

/// Everything a line may tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange<'a> {
    /// The question as it came.
    pub(crate) question: &'a Question,
    /// What was answered.
    pub(crate) answer: Summary,
    /// Who asked.
    pub(crate) client: SocketAddr,
    /// `udp` or `tcp`.
    pub(crate) protocol: &'static str,
    /// The question's number.
    pub(crate) id: u16,
    /// The client asked for recursion.
    pub(crate) recursion_desired: bool,
    /// The size that the client takes over UDP.
    pub(crate) payload: u16,
    /// Bytes of the question.
    pub(crate) size: usize,
    /// Bytes of the answer.
    pub(crate) answer_size: usize,
    /// From question to answer.
    pub(crate) duration: Duration,
}

impl LogRule {
    /// Reads `log [NAMES…] [FORMAT] { class … }`.
    pub(crate) fn read_directive(
        directive: &Directive,
        lines: &mut Lines<'_>,
    ) -> Result<Self, DirectiveError> {
        let (format, names) = match directive.arguments.split_last() {
            Some((last, names)) if last.contains('{') => (last.as_str(), names),
            _ => ("{common}", directive.arguments.as_slice()),
        };
        let everything = Zones::new(vec![Name::root()]);
        let mut rule = Self {
            names: arguments::parse_zones(names, &everything)?,
            format: format
                .replace("{common}", COMMON)
                .replace("{combined}", COMBINED),
            classes: Vec::new(),
        };
        lines.read_each(directive, |line| rule.read_line(line));
        Ok(rule)
    }

    fn read_line(&mut self, line: &Directive) -> Result<(), DirectiveError> {
        if line.name != "class" || line.arguments.is_empty() {
            return invalid_directive("unknown property, or a class is missing");
        }
        for word in &line.arguments {
            match word.as_str() {
                "success" => self.classes.push(Class::Success),
                "denial" => self.classes.push(Class::Denial),
                "error" => self.classes.push(Class::Error),
                "all" => {
                    self.classes.clear();
                    return Ok(());
                }
                _ => {
                    return invalid_directive(format!(
                        "{word:?} is none of success, denial, error, all"
                    ));
                }
            }
        }
        Ok(())
    }

    /// The line for an exchange, if its kind is wanted.
    fn format_line(&self, exchange: &Exchange<'_>) -> Option<String> {
        let wanted = self.classes.is_empty() || self.classes.contains(&class_of(exchange.answer));
        wanted.then(|| fill_format(&self.format, exchange))
    }
}

/// The line for an exchange, if it is to have one. The first rule for its name decides alone, also against a line.
pub(crate) fn log_line(rules: &[LogRule], exchange: &Exchange<'_>) -> Option<String> {
    let name = &exchange.question.name;
    let mut covering = rules
        .iter()
        .filter(|rule| rule.names.matching(name).is_some());
    covering.next()?.format_line(exchange)
}

fn class_of(answer: Summary) -> Class {
    match answer.code {
        ResponseCode::NXDomain => Class::Denial,
        ResponseCode::NoError if answer.empty => Class::Denial,
        ResponseCode::NoError => Class::Success,
        _ => Class::Error,
    }
}

/// Puts values in the place of words in braces; those that are not known become `-`, as metadata that is not set.
fn fill_format(format: &str, exchange: &Exchange<'_>) -> String {
    let mut line = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((word, behind)) = after.split_once('}') else {
            break;
        };
        line.push_str(before);
        line.push_str(&field_value(word, exchange));
        rest = behind;
    }
    line.push_str(rest);
    line
}

fn field_value(word: &str, exchange: &Exchange<'_>) -> String {
    let address = |address: std::net::IpAddr| match address.to_canonical() {
        std::net::IpAddr::V4(address) => address.to_string(),
        std::net::IpAddr::V6(address) => format!("[{address}]"),
    };
    let question = exchange.question;
    match word {
        "type" => question.kind.to_string(),
        "name" => question.name.to_ascii(),
        "class" => question.class.to_string(),
        "proto" => exchange.protocol.to_owned(),
        "remote" => address(exchange.client.ip()),
        "port" => exchange.client.port().to_string(),
        "size" => exchange.size.to_string(),
        "rsize" => exchange.answer_size.to_string(),
        "duration" => format!("{:.9}s", exchange.duration.as_secs_f64()),
        "rcode" => code_name(exchange.answer.code),
        ">rflags" => flags_text(exchange),
        ">bufsize" => exchange.payload.to_string(),
        ">do" => question.dnssec_ok.to_string(),
        ">id" => exchange.id.to_string(),
        // No other operation is answered.
        ">opcode" => "0".to_owned(),
        _ => "-".to_owned(),
    }
}

fn flags_text(exchange: &Exchange<'_>) -> String {
    let answer = exchange.answer;
    let flags = [
        ("qr", true),
        ("aa", answer.authoritative),
        ("rd", exchange.recursion_desired),
        ("ra", true),
        ("ad", answer.authentic),
        ("cd", exchange.question.checking_disabled),
    ];
    let set = flags.iter().filter(|(_, set)| *set).map(|(name, _)| *name);
    set.collect::<Vec<_>>().join(",")
}

/// The name of a response code, as CoreDNS writes it.
pub(crate) fn code_name(code: ResponseCode) -> String {
    template::code_names()
        .find(|(_, number)| *number == u16::from(code))
        .map_or_else(|| u16::from(code).to_string(), |(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::{DNSClass, RecordType};

    use super::super::super::configuration::tests::block;
    use super::*;

    fn told(directive: &str, code: ResponseCode, empty: bool) -> Option<String> {
        let question = Question {
            name: Name::from_ascii("www.example.org.").unwrap(),
            kind: RecordType::A,
            class: DNSClass::IN,
            dnssec_ok: true,
            checking_disabled: false,
        };
        let exchange = Exchange {
            question: &question,
            answer: Summary {
                code,
                authoritative: true,
                authentic: false,
                empty,
            },
            client: "[::ffff:10.0.0.5]:4444".parse().unwrap(),
            protocol: "udp",
            id: 7,
            recursion_desired: true,
            payload: 1232,
            size: 41,
            answer_size: 68,
            duration: Duration::from_micros(1500),
        };
        log_line(&block(directive).log, &exchange)
    }

    #[test]
    fn lines_of_exchanges() {
        let no_error = ResponseCode::NoError;
        let common = "10.0.0.5:4444 - 7 \"A IN www.example.org. udp 41 true 1232\" NOERROR qr,aa,rd,ra 68 0.001500000s";
        for (directive, code, empty, expected) in [
            ("log", no_error, false, Some(common)),
            ("log example.org", no_error, false, Some(common)),
            ("log example.com", no_error, false, None),
            (
                "log . \"{combined}\"",
                no_error,
                false,
                Some(&*format!("{common} \"0\"")),
            ),
            // Only the first rule for a name counts, whether or not it wants the answer.
            (
                "log example.org {\n class error\n}\nlog",
                no_error,
                false,
                None,
            ),
            (
                "log example.com\nlog . \"{rcode}\"\nlog",
                no_error,
                false,
                Some("NOERROR"),
            ),
            (
                "log . \"{name} {rcode} {/log/class}\"",
                ResponseCode::Refused,
                true,
                Some("www.example.org. REFUSED -"),
            ),
            ("log {\n class error\n}", no_error, false, None),
            ("log {\n class denial\n}", no_error, false, None),
            (
                "log . \"{rcode}\" {\n class denial\n}",
                no_error,
                true,
                Some("NOERROR"),
            ),
            (
                "log . \"{rcode}\" {\n class error all\n}",
                no_error,
                false,
                Some("NOERROR"),
            ),
        ] {
            assert_eq!(
                told(directive, code, empty).as_deref(),
                expected,
                "{directive}"
            );
        }
    }
}
