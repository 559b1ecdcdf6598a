//! `rewrite`: other questions in the place of those that were asked, and what that does to the answers.

use std::str::FromStr;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::{CNAME, MX, NS, PTR, SOA, SRV};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use kind_node::corefile::Directive;
use regex_lite::Regex;

use super::super::message::{Answer, Question};
use super::arguments::{self, DirectiveError, invalid_directive, not_supported};
use super::expression::compile_expression;
use super::template::response_code;

/// One directive.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// The rules behind this one are looked at too when it fits.
    goes_on: bool,
    field: Field,
}

#[derive(Debug, Clone)]
enum Field {
    Name(NameRule),
    Type(RecordType, RecordType),
    Class(DNSClass, DNSClass),
    Ttl(Pattern, u32, u32),
    Code(Pattern, ResponseCode, ResponseCode),
}

#[derive(Debug, Clone)]
struct NameRule {
    from: Pattern,
    to: String,
    /// The names of the answer become those that were asked for.
    auto: bool,
    changes: Vec<Change>,
}

/// Which names a rule is for. Texts are in lower case.
#[derive(Debug, Clone)]
enum Pattern {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Substring(String),
    Expression(Regex),
}

/// What a rule does to an answer.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// Changes the names of records.
    Names(Renaming),
    /// Changes the names that records point at.
    Values(Renaming),
    /// Puts times to live into a range.
    Ttl(u32, u32),
    /// Changes the response code.
    Code(ResponseCode, ResponseCode),
}

/// How a name becomes another one.
#[derive(Debug, Clone)]
pub(crate) enum Renaming {
    /// By an expression and its groups.
    Expression(Regex, String),
    /// By a domain and the one in its place.
    Domain(String, String),
    /// By an end and the one in its place.
    Suffix(String, String),
}

impl Rule {
    /// Reads `rewrite [continue|stop] FIELD …`, or with the rest as lines in braces.
    pub(crate) fn read_directive(directive: &Directive) -> Result<Self, DirectiveError> {
        let mut words: Vec<&str> = directive.arguments.iter().map(String::as_str).collect();
        for line in &directive.block {
            words.push(&line.name);
            words.extend(line.arguments.iter().map(String::as_str));
        }
        let goes_on = words.first() == Some(&"continue");
        if goes_on || words.first() == Some(&"stop") {
            words.remove(0);
        }
        let Some((field, words)) = words.split_first() else {
            return invalid_directive("needs a field");
        };
        let field = match (field.to_ascii_lowercase().as_str(), words) {
            ("name", words) => Field::Name(name_rule(words)?),
            ("type", [from, to]) => Field::Type(parse_known(from)?, parse_known(to)?),
            ("class", [from, to]) => Field::Class(parse_known(from)?, parse_known(to)?),
            ("ttl", [patterns @ .., range]) => {
                let (least, most) = ttl_range(range)?;
                Field::Ttl(parse_pattern(patterns)?, least, most)
            }
            ("rcode", [patterns @ .., from, to]) => Field::Code(
                parse_pattern(patterns)?,
                response_code(from)?,
                response_code(to)?,
            ),
            ("edns0" | "cname", _) => {
                return not_supported("questions and answers stay as they are");
            }
            ("type" | "class" | "ttl" | "rcode", _) => {
                return invalid_directive("has too few or too many words");
            }
            (other, _) => return invalid_directive(format!("cannot rewrite {other:?}")),
        };
        Ok(Self { goes_on, field })
    }

    /// Applies the rule if it fits: changes the question and returns what must be done to the answer.
    fn apply(&self, question: &mut Question) -> Result<Option<Vec<Change>>, NotAName> {
        let asked = question.name.to_lowercase().to_ascii();
        match &self.field {
            Field::Name(rule) => {
                let Some(renamed) = rule.from.replace(&asked, &rule.to) else {
                    return Ok(None);
                };
                // What an expression makes often lacks the last dot, which every name of an answer has.
                let renamed = normalize_name(&renamed);
                question.name = name_of(&renamed).ok_or(NotAName)?;
                return Ok(Some(rule.changes_of_answer(&renamed, &asked)));
            }
            Field::Type(from, to) if question.kind == *from => question.kind = *to,
            Field::Class(from, to) if question.class == *from => question.class = *to,
            Field::Ttl(pattern, least, most) if pattern.fits(&asked) => {
                return Ok(Some(vec![Change::Ttl(*least, *most)]));
            }
            Field::Code(pattern, from, to) if pattern.fits(&asked) => {
                return Ok(Some(vec![Change::Code(*from, *to)]));
            }
            _ => return Ok(None),
        }
        Ok(Some(Vec::new()))
    }
}

/// A rule made something of a name that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotAName;

/// Applies rules in their order to a question; what must be done to the answer comes last rule first.
pub(crate) fn rewrite_question(
    rules: &[Rule],
    question: &mut Question,
) -> Result<Vec<Change>, NotAName> {
    let mut all = Vec::new();
    for rule in rules {
        if let Some(changes) = rule.apply(question)? {
            all.push(changes);
            if !rule.goes_on {
                break;
            }
        }
    }
    Ok(all.into_iter().rev().flatten().collect())
}

impl NameRule {
    /// What must be done to the answer to a question that was renamed.
    fn changes_of_answer(&self, renamed: &str, asked: &str) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.auto {
            let renaming = match &self.from {
                Pattern::Suffix(suffix) => Renaming::Suffix(self.to.clone(), suffix.clone()),
                _ => Renaming::Domain(renamed.to_owned(), asked.to_owned()),
            };
            changes.push(Change::Names(renaming.clone()));
            changes.push(Change::Values(renaming));
        }
        changes.extend(self.changes.iter().cloned());
        changes
    }
}

impl Pattern {
    /// Tells whether a name fits.
    fn fits(&self, name: &str) -> bool {
        self.replace(name, "").is_some()
    }

    /// Returns the name with what fits replaced, if something does.
    fn replace(&self, name: &str, to: &str) -> Option<String> {
        match self {
            Self::Exact(text) => (name == text).then(|| to.to_owned()),
            Self::Prefix(text) => name
                .strip_prefix(text.as_str())
                .map(|rest| format!("{to}{rest}")),
            Self::Suffix(text) => name
                .strip_suffix(text.as_str())
                .map(|rest| format!("{rest}{to}")),
            Self::Substring(text) => name.contains(text.as_str()).then(|| name.replace(text, to)),
            Self::Expression(expression) => replace_groups(expression, name, to),
        }
    }
}

impl Renaming {
    /// The name that a name becomes; nothing if it stays.
    fn rename(&self, name: &Name) -> Option<Name> {
        let text = name.to_lowercase().to_ascii();
        let renamed = match self {
            Self::Expression(expression, to) => replace_groups(expression, &text, to)?,
            Self::Suffix(from, to) => format!("{}{to}", text.strip_suffix(from.as_str())?),
            Self::Domain(from, to) => {
                let before = text.strip_suffix(from.as_str())?;
                if !before.is_empty() && !before.ends_with('.') {
                    return None;
                }
                format!("{before}{to}")
            }
        };
        name_of(&renamed)
    }
}

/// Does to an answer what rules want.
pub(crate) fn change_answer(answer: &mut Answer, changes: &[Change]) {
    for change in changes {
        if let Change::Code(from, to) = change
            && answer.code == *from
        {
            answer.code = *to;
        }
        let records = answer.answers.iter_mut();
        let records = records
            .chain(&mut answer.authorities)
            .chain(&mut answer.additionals);
        records.for_each(|record| change_record(record, change));
    }
}

fn change_record(record: &mut Record, change: &Change) {
    match change {
        Change::Names(renaming) => {
            if let Some(renamed) = renaming.rename(&record.name) {
                record.name = renamed;
            }
        }
        Change::Values(renaming) => rename_value(&mut record.data, renaming),
        Change::Ttl(least, most) => record.ttl = record.ttl.clamp(*least, *most),
        Change::Code(..) => {}
    }
}

/// Renames the name that a record points at.
fn rename_value(data: &mut RData, renaming: &Renaming) {
    let renamed = match data {
        RData::CNAME(CNAME(name)) => renaming.rename(name).map(|name| RData::CNAME(CNAME(name))),
        RData::NS(NS(name)) => renaming.rename(name).map(|name| RData::NS(NS(name))),
        RData::PTR(PTR(name)) => renaming.rename(name).map(|name| RData::PTR(PTR(name))),
        RData::MX(mx) => renaming
            .rename(&mx.exchange)
            .map(|name| RData::MX(MX::new(mx.preference, name))),
        RData::SRV(srv) => renaming
            .rename(&srv.target)
            .map(|name| RData::SRV(SRV::new(srv.priority, srv.weight, srv.port, name))),
        RData::SOA(soa) => renaming.rename(&soa.mname).map(|name| {
            let (times, rest) = (
                (soa.refresh, soa.retry, soa.expire),
                (soa.serial, soa.minimum),
            );
            let mailbox = soa.rname.clone();
            RData::SOA(SOA::new(
                name, mailbox, rest.0, times.0, times.1, times.2, rest.1,
            ))
        }),
        _ => None,
    };
    if let Some(renamed) = renamed {
        *data = renamed;
    }
}

/// Reads `[exact|prefix|suffix|substring|regex] FROM TO [answer …]`.
fn name_rule(words: &[&str]) -> Result<NameRule, DirectiveError> {
    let (kind, from, to, options) = match words {
        [from, to] => ("exact", from, to, &[][..]),
        [kind, from, to, options @ ..] => (*kind, from, to, options),
        _ => return invalid_directive("needs what is rewritten, and to what"),
    };
    let from = parse_pattern(&[kind, from])?;
    let whole = matches!(from, Pattern::Exact(_) | Pattern::Suffix(_));
    let to = if whole {
        normalize_name(to)
    } else {
        to.to_ascii_lowercase()
    };
    let mut rule = NameRule {
        auto: matches!(from, Pattern::Exact(_)),
        from,
        to,
        changes: Vec::new(),
    };
    read_options(options, &mut rule)?;
    Ok(rule)
}

/// Reads `answer (auto | (name|value FROM TO))…`; the word `answer` may be left out but for the first.
fn read_options(mut words: &[&str], rule: &mut NameRule) -> Result<(), DirectiveError> {
    if words.first().is_some_and(|first| *first != "answer") {
        return invalid_directive("has too many words");
    }
    while !words.is_empty() {
        words = words.strip_prefix(&["answer"][..]).unwrap_or(words);
        words = match words {
            ["auto", rest @ ..] | ["name", "auto", rest @ ..] => {
                rule.auto = true;
                rest
            }
            [what @ ("name" | "value"), from, to, rest @ ..] => {
                let renaming =
                    Renaming::Expression(compile_expression(from)?, to.to_ascii_lowercase());
                rule.changes.push(match *what {
                    "name" => Change::Names(renaming),
                    _ => Change::Values(renaming),
                });
                rest
            }
            _ => return invalid_directive("answer needs auto, or name or value with two words"),
        };
    }
    Ok(())
}

/// Reads `[exact|prefix|suffix|substring|regex] TEXT`.
fn parse_pattern(words: &[&str]) -> Result<Pattern, DirectiveError> {
    let (kind, text) = match words {
        [text] => ("exact", *text),
        [kind, text] => (*kind, *text),
        _ => return invalid_directive("has too few or too many words"),
    };
    let lower = text.to_ascii_lowercase();
    Ok(match kind.to_ascii_lowercase().as_str() {
        "exact" => Pattern::Exact(normalize_name(text)),
        "suffix" => Pattern::Suffix(normalize_name(text)),
        "prefix" => Pattern::Prefix(lower),
        "substring" => Pattern::Substring(lower),
        "regex" => Pattern::Expression(compile_expression(text)?),
        _ => {
            return invalid_directive(format!(
                "{kind:?} is none of exact, prefix, suffix, substring, regex"
            ));
        }
    })
}

/// Reads `SECONDS`, `MIN-MAX`, `MIN-` or `-MAX`.
fn ttl_range(text: &str) -> Result<(u32, u32), DirectiveError> {
    let Some((least, most)) = text.split_once('-') else {
        let seconds = arguments::parse_number(text)?;
        return Ok((seconds, seconds));
    };
    let bound = |text: &str, unbounded| match text {
        "" => Ok(unbounded),
        _ => arguments::parse_number(text),
    };
    let (least, most) = (bound(least, 0)?, bound(most, u32::MAX)?);
    if least > most {
        return invalid_directive(format!("{text:?} ends before it begins"));
    }
    Ok((least, most))
}

/// Puts what the groups of an expression match in the place of `{0}`, `{1}` and so on.
fn replace_groups(expression: &Regex, name: &str, to: &str) -> Option<String> {
    let found = expression.captures(name)?;
    let mut text = to.to_owned();
    for index in 0..found.len() {
        let group = found.get(index).map_or("", |group| group.as_str());
        text = text.replace(&format!("{{{index}}}"), group);
    }
    Some(text)
}

/// A type or a class by its name.
fn parse_known<T: FromStr>(text: &str) -> Result<T, DirectiveError> {
    let known = text.to_ascii_uppercase().parse();
    known.or_else(|_| invalid_directive(format!("{text:?} is not known")))
}

/// The text in lower case, with a dot at its end.
fn normalize_name(text: &str) -> String {
    let text = text.to_ascii_lowercase();
    if text.ends_with('.') {
        text
    } else {
        text + "."
    }
}

/// The domain name that a text is.
fn name_of(text: &str) -> Option<Name> {
    let mut name = Name::from_ascii(text).ok()?;
    name.set_fqdn(true);
    Some(name)
}

#[cfg(test)]
#[path = "rewrite_tests.rs"]
mod tests;
