//! The part of Go's templates that answers of `template` are written in: fields of a question in text.

use std::collections::BTreeMap;

use super::arguments::{DirectiveError, invalid_directive, not_supported};

/// A text with places to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GoTemplate(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(Field),
    /// A group of the expression that matched, by number or name.
    Group(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Name,
    Zone,
    Class,
    Type,
    Remote,
}

/// What places are filled in with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    /// The name that was asked for, in lower case.
    pub(crate) name: String,
    /// The zone of the directive that it is in.
    pub(crate) zone: String,
    pub(crate) class: String,
    /// The type.
    pub(crate) kind: String,
    /// The client's address.
    pub(crate) remote: String,
    /// What the groups matched, by number and by name.
    pub(crate) groups: BTreeMap<String, String>,
}

impl GoTemplate {
    /// Reads a text. Anything but fields is not supported.
    pub(crate) fn parse_template(text: &str) -> Result<Self, DirectiveError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((action, behind)) = after.split_once("}}") else {
                return invalid_directive("a template's {{ has no }}");
            };
            let (trims_left, action) = strip_marker(action.strip_prefix("- "), action);
            let (trims_right, action) = strip_marker(action.strip_suffix(" -"), action);
            let before = if trims_left {
                before.trim_end()
            } else {
                before
            };
            parts.push(Part::Text(before.to_owned()));
            parts.extend(parse_part(action.trim())?);
            rest = if trims_right {
                behind.trim_start()
            } else {
                behind
            };
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// Fills the places in; a group that is not there is empty.
    pub(crate) fn fill(&self, values: &Values) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Field(Field::Name) => values.name.clone(),
            Part::Field(Field::Zone) => values.zone.clone(),
            Part::Field(Field::Class) => values.class.clone(),
            Part::Field(Field::Type) => values.kind.clone(),
            Part::Field(Field::Remote) => values.remote.clone(),
            Part::Group(group) => values.groups.get(group).cloned().unwrap_or_default(),
        };
        self.0.iter().map(part).collect()
    }
}

fn strip_marker<'a>(stripped: Option<&'a str>, whole: &'a str) -> (bool, &'a str) {
    (stripped.is_some(), stripped.unwrap_or(whole))
}

/// Reads what stands between the braces; a comment is nothing.
fn parse_part(action: &str) -> Result<Option<Part>, DirectiveError> {
    let words: Vec<&str> = action.split_whitespace().collect();
    let field = match words.as_slice() {
        [".Name" | ".Question.Name"] => Field::Name,
        [".Zone"] => Field::Zone,
        [".Class"] => Field::Class,
        [".Type"] => Field::Type,
        [".Remote"] => Field::Remote,
        ["index", ".Match", number] if number.parse::<u16>().is_ok() => {
            return Ok(Some(Part::Group((*number).to_owned())));
        }
        ["index", ".Group", name] => {
            return Ok(Some(Part::Group(name.trim_matches('"').to_owned())));
        }
        [word] if word.strip_prefix(".Group.").is_some_and(is_identifier) => {
            let name = word.trim_start_matches(".Group.");
            return Ok(Some(Part::Group(name.to_owned())));
        }
        _ if action.starts_with("/*") && action.ends_with("*/") => return Ok(None),
        _ => {
            return not_supported(format!(
                "{{{{ {action} }}}} is more of a template than fields"
            ));
        }
    };
    Ok(Some(Part::Field(field)))
}

fn is_identifier(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !text.is_empty() && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        Values {
            name: "ip-10-0-0-1.example.".to_owned(),
            zone: "example.".to_owned(),
            class: "IN".to_owned(),
            kind: "A".to_owned(),
            remote: "192.0.2.9".to_owned(),
            groups: [("1", "10"), ("b", "0")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        }
    }

    #[test]
    fn filled_texts() {
        for (text, expected) in [
            ("", ""),
            (
                "{{ .Name }} 60 IN A 10.0.0.1",
                "ip-10-0-0-1.example. 60 IN A 10.0.0.1",
            ),
            ("{{.Zone}}{{ .Class }}{{ .Type }}", "example.INA"),
            (
                "{{ index .Match 1 }}.{{ .Group.b }}.{{ index .Group \"b\" }}",
                "10.0.0",
            ),
            ("a {{- .Group.b -}} b", "a0b"),
            ("{{/* nothing */}}x", "x"),
            ("{{ .Remote }}{{ .Group.none }}", "192.0.2.9"),
        ] {
            let template = GoTemplate::parse_template(text).unwrap();
            assert_eq!(template.fill(&values()), expected, "{text}");
        }
    }

    #[test]
    fn more_than_fields_is_not_supported() {
        for text in [
            "{{ if .Name }}x{{ end }}",
            "{{ .Meta \"a\" }}",
            "{{ $x }}",
            "{{ .Group.a | len }}",
        ] {
            assert!(
                matches!(
                    GoTemplate::parse_template(text),
                    Err(DirectiveError::NotSupported(_))
                ),
                "{text}"
            );
        }
        assert!(matches!(
            GoTemplate::parse_template("{{ .Name"),
            Err(DirectiveError::Invalid(_))
        ));
    }
}
