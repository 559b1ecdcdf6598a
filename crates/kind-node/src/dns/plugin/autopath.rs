//! `autopath`: the search path of clients, walked here instead of question by question.

use hickory_proto::rr::Name;
use kind_node::corefile::{Directive, Environment};

use super::arguments::{self, DirectiveError, invalid_directive};
use super::zones::Zones;

/// The directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Autopath {
    zones: Zones,
    search: Search,
}

/// Where the search path comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Search {
    /// From a file; the same for all.
    Fixed(Vec<Name>),
    /// From the namespace of the pod that asks; behind it comes that of our own `resolv.conf`.
    Kubernetes(Vec<Name>),
}

impl Autopath {
    /// Reads `autopath [ZONES…] RESOLV-CONF`, or `@kubernetes` in the place of the file.
    pub(crate) fn read_directive(
        directive: &Directive,
        around: &Zones,
        environment: &dyn Environment,
    ) -> Result<Self, DirectiveError> {
        let Some((source, zones)) = directive.arguments.split_last() else {
            return invalid_directive("needs a file or @kubernetes");
        };
        let domains = |path: &str| {
            environment
                .files(path)
                .first()
                .map(|(_, text)| parse_search_path(text))
        };
        let search = match source.strip_prefix('@') {
            Some("kubernetes") => {
                Search::Kubernetes(domains("/etc/resolv.conf").unwrap_or_default())
            }
            Some(other) => return invalid_directive(format!("@{other} has no search path")),
            None => match domains(source) {
                Some(domains) => Search::Fixed(domains),
                None => return invalid_directive(format!("{source:?} is not a file")),
            },
        };
        Ok(Self {
            zones: arguments::parse_zones(zones, around)?,
            search,
        })
    }

    /// Tells whether it must know which pod asks.
    pub(crate) fn uses_pods(&self) -> bool {
        matches!(self.search, Search::Kubernetes(_))
    }

    /// The names to try in the place of one that is below the first domain of the client's search path. `domain` is
    /// the cluster's, `namespace` that of the pod that asks, if they are known.
    pub(crate) fn names(
        &self,
        asked: &Name,
        domain: Option<&Name>,
        namespace: Option<&str>,
    ) -> Option<Vec<Name>> {
        self.zones.matching(asked)?;
        let path = match &self.search {
            Search::Fixed(path) => path.clone(),
            Search::Kubernetes(more) => {
                let (domain, namespace) = (domain?, namespace?);
                let services = domain.clone().prepend_label("svc").ok()?;
                let own = services.clone().prepend_label(namespace).ok()?;
                let mut path = vec![own, services, domain.clone()];
                path.extend(more.iter().cloned());
                path
            }
        };
        let first = path.first()?;
        let below = asked.num_labels().checked_sub(first.num_labels())?;
        if below == 0 || !first.zone_of(asked) {
            return None;
        }
        let base = Name::from_labels(asked.iter().take(below.into())).ok()?;
        let whole = |domain: &Name| base.clone().append_domain(domain).ok();
        path.iter().chain([&Name::root()]).map(whole).collect()
    }
}

/// The search path of a `resolv.conf`: the last line counts.
fn parse_search_path(text: &str) -> Vec<Name> {
    let lines = text.lines().rev();
    let mut found = lines.filter_map(|line| line.trim().strip_prefix("search "));
    let words = found.next().unwrap_or_default().split_whitespace();
    words
        .filter_map(|word| super::zones::read_zones(word)?.pop())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn names(autopath: &Autopath, asked: &str) -> Option<Vec<String>> {
        let domain = name("cluster.local.");
        let names = autopath.names(&name(asked), Some(&domain), Some("default"))?;
        Some(names.iter().map(Name::to_ascii).collect())
    }

    #[test]
    fn names_of_a_search_path() {
        let everything = Zones::new(vec![Name::root()]);
        let autopath = Autopath {
            zones: everything,
            search: Search::Kubernetes(parse_search_path(
                "nameserver 192.0.2.1\nsearch corp.example\n",
            )),
        };
        assert_eq!(
            names(&autopath, "www.example.com.default.svc.cluster.local.").unwrap(),
            [
                "www.example.com.default.svc.cluster.local.",
                "www.example.com.svc.cluster.local.",
                "www.example.com.cluster.local.",
                "www.example.com.corp.example.",
                "www.example.com.",
            ]
        );
        assert_eq!(names(&autopath, "www.example.com."), None);
        assert_eq!(names(&autopath, "default.svc.cluster.local."), None);
        let asked = name("a.default.svc.cluster.local.");
        assert_eq!(autopath.names(&asked, None, Some("default")), None);
    }
}
