//! A document: one thing, and all that it is made of.

use serde_json::{Value, json};

use super::package::Package;
use crate::Digest;

/// How a thing has its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// They are in it as they are.
    Contains,
    /// It is compiled from them.
    DependsOn,
}

impl Relation {
    fn name(self) -> &'static str {
        match self {
            Self::Contains => "CONTAINS",
            Self::DependsOn => "DEPENDS_ON",
        }
    }
}

/// One thing and its parts.
#[derive(Debug, Clone)]
pub struct Document {
    /// The thing.
    pub subject: Package,
    /// How it has its parts.
    pub relation: Relation,
    /// What it is made of, in any order.
    pub parts: Vec<Package>,
    /// Time of the source that it is made from, in seconds since 1970: never that of the making.
    pub epoch: u64,
}

const SELF: &str = "SPDXRef-DOCUMENT";
const SUBJECT: &str = "SPDXRef-subject";

impl Document {
    /// The document's text.
    pub fn to_json(&self) -> String {
        let mut parts = self.parts.clone();
        parts.sort();
        parts.dedup();
        let ids: Vec<_> = (1..).zip(&parts).map(part_id).collect();
        let described = ids.iter().zip(&parts).map(|(id, part)| part.to_json(id));
        let packages: Vec<_> = [self.subject.to_json(SUBJECT)]
            .into_iter()
            .chain(described)
            .collect();
        let mut relationships = vec![relationship(SELF, "DESCRIBES", SUBJECT)];
        let name = self.relation.name();
        relationships.extend(ids.iter().map(|id| relationship(SUBJECT, name, id)));
        let packages = json!(packages);
        // Two documents of the same name that say different things have different names in full.
        let digest = Digest::of(packages.to_string().as_bytes());
        let document = json!({
            "spdxVersion": "SPDX-2.3",
            "dataLicense": "CC0-1.0",
            "SPDXID": SELF,
            "name": self.subject.name,
            "documentNamespace": format!("https://kind.invalid/spdx/{}", digest.hex()),
            "creationInfo": {
                "created": timestamp(self.epoch),
                "creators": [format!("Tool: kind-{}", env!("CARGO_PKG_VERSION"))],
            },
            "packages": packages,
            "relationships": relationships,
        });
        format!("{document:#}\n")
    }
}

/// A name of letters, digits, dots and dashes that no other part has.
fn part_id((number, part): (usize, &Package)) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-');
    let name = part.name.chars();
    let name: String = name.map(|it| if allowed(it) { it } else { '-' }).collect();
    format!("SPDXRef-{number}-{name}")
}

fn relationship(from: &str, name: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": name, "relatedSpdxElement": to })
}

/// Seconds since 1970 as SPDX writes a time.
fn timestamp(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The date of a day since 1970 in the Gregorian calendar, whose years are counted from March on.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let first = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (era * 400 + year, month + 3);
    if month > 12 {
        (year + 1, month - 12, first)
    } else {
        (year, month, first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_102_444_800, "2100-01-01T00:00:00Z"),
        ] {
            assert_eq!(timestamp(seconds), text);
        }
    }
}
