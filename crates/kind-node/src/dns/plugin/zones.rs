//! Lists of zones, and where a plugin passes a question on.

use hickory_proto::rr::Name;
use ipnet::IpNet;

/// Zones that something is there for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Zones(Vec<Name>);

impl Zones {
    /// These zones.
    pub(crate) fn new(zones: Vec<Name>) -> Self {
        Self(zones)
    }

    /// Returns the longest zone that a name is in.
    pub(crate) fn matching(&self, name: &Name) -> Option<&Name> {
        let around = self.0.iter().filter(|zone| zone.zone_of(name));
        around.max_by_key(|zone| zone.num_labels())
    }

    /// All of them, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Name> {
        self.0.iter()
    }
}

/// For which names a plugin passes a question on that it has no answer to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Fallthrough {
    /// For none.
    #[default]
    Never,
    /// For all.
    Always,
    /// For those in these zones.
    Within(Zones),
}

impl Fallthrough {
    /// Tells whether the question for a name is passed on.
    pub(crate) fn passes(&self, name: &Name) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::Within(zones) => zones.matching(name).is_some(),
        }
    }
}

/// Reads a zone in lower case: a domain name, or the range of addresses of a reverse zone. A range that ends
/// within a label is several zones.
pub(crate) fn read_zones(text: &str) -> Option<Vec<Name>> {
    if let Ok(range) = text.parse::<IpNet>() {
        return reverse_zones(range);
    }
    let mut name = Name::from_ascii(text).ok()?;
    name.set_fqdn(true);
    Some(vec![name.to_lowercase()])
}

/// Tells whether a zone is one of those for addresses.
pub(crate) fn is_reverse(zone: &Name) -> bool {
    ["in-addr.arpa.", "ip6.arpa."].iter().any(|arpa| {
        let arpa = Name::from_ascii(arpa).unwrap_or_default();
        arpa.zone_of(zone)
    })
}

/// The zones of a range of addresses.
fn reverse_zones(range: IpNet) -> Option<Vec<Name>> {
    let bits = match range {
        IpNet::V4(_) => 8,
        IpNet::V6(_) => 4,
    };
    let length = range.prefix_len().div_ceil(bits) * bits;
    let parts = range.trunc().subnets(length).ok()?;
    let labels = usize::from(length / bits) + 2;
    Some(
        parts
            .map(|part| Name::from(part.addr()).trim_to(labels).to_lowercase())
            .map(absolute)
            .collect(),
    )
}

/// The name with its last dot.
fn absolute(mut name: Name) -> Name {
    name.set_fqdn(true);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    #[test]
    fn zones_of_texts() {
        for (text, expected) in [
            (".", &["."][..]),
            ("Example.ORG", &["example.org."]),
            ("example.org.", &["example.org."]),
            ("10.0.0.0/24", &["0.0.10.in-addr.arpa."]),
            ("10.0.0.0/8", &["10.in-addr.arpa."]),
            (
                "10.0.2.0/23",
                &["2.0.10.in-addr.arpa.", "3.0.10.in-addr.arpa."],
            ),
            ("10.0.0.7/32", &["7.0.0.10.in-addr.arpa."]),
            ("fd00::/8", &["d.f.ip6.arpa."]),
            ("0.0.0.0/0", &["in-addr.arpa."]),
        ] {
            let zones = read_zones(text).unwrap();
            let zones: Vec<_> = zones.iter().map(Name::to_ascii).collect();
            assert_eq!(zones, expected, "{text}");
        }
        assert_eq!(read_zones("a..b"), None);
    }

    #[test]
    fn longest_zone_counts() {
        let zones = Zones::new(vec![name("."), name("b.example."), name("example.")]);
        let matching = |text: &str| zones.matching(&name(text)).map(Name::to_ascii);
        assert_eq!(matching("a.B.example.").as_deref(), Some("b.example."));
        assert_eq!(matching("b.example.").as_deref(), Some("b.example."));
        assert_eq!(matching("ab.example.").as_deref(), Some("example."));
        assert_eq!(matching("other.").as_deref(), Some("."));
        assert_eq!(Zones::default().matching(&name("x.")), None);
    }

    #[test]
    fn questions_are_passed_on_within_zones() {
        let within = Fallthrough::Within(Zones::new(vec![name("example.")]));
        assert!(within.passes(&name("a.example.")) && !within.passes(&name("a.")));
        assert!(Fallthrough::Always.passes(&name("a.")) && !Fallthrough::Never.passes(&name("a.")));
        assert!(is_reverse(&name("10.in-addr.arpa.")) && !is_reverse(&name("arpa.")));
    }
}
