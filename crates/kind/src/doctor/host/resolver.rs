//! What nodes inherit of how the host finds names.

use super::facts::Host;
use crate::doctor::outcome::{Outcome, Problem};

/// Kubelets before 1.28 give a pod six domains at most, and three of them are the cluster's.
const MOST_DOMAINS: usize = 3;

/// The domains that the host completes names with: pods try each of them for every name outside of the cluster.
pub(super) fn look_at_search_domains(host: &Host) -> Outcome {
    match host.text("etc/resolv.conf") {
        Some(text) if host.has_nodes() => judge_search_domains(&find_domains(&text)),
        _ => Outcome::skipped("nodes would not take over this host's settings"),
    }
}

/// The last line of that kind counts.
fn find_domains(resolv_conf: &str) -> Vec<&str> {
    let mut lines = resolv_conf.lines().rev();
    let search = lines.find_map(|line| line.trim().strip_prefix("search "));
    search.unwrap_or_default().split_whitespace().collect()
}

fn judge_search_domains(domains: &[&str]) -> Outcome {
    let count = domains.len();
    if count <= MOST_DOMAINS {
        return Outcome::Passed(format!("names are completed with {count} domains"));
    }
    let found = format!(
        "the host completes names with {count} domains, which pods inherit: each name outside of a cluster costs \
         that many questions more, and kubelets before 1.28 leave some out"
    );
    let remedy = "put `networking: {dnsSearch: []}` into the cluster's configuration, or only the domains that pods need";
    let expected = format!("{MOST_DOMAINS} or fewer");
    Problem::warning(found, expected, remedy)
        .with_evidence(
            "/etc/resolv.conf",
            vec![format!("search {}", domains.join(" "))],
        )
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::told;

    #[test]
    fn long_lists_of_domains_are_told() {
        let judged = |text| told(&judge_search_domains(&find_domains(text)));
        assert_eq!(
            judged("nameserver 127.0.0.1\nsearch a b\n"),
            "passed: names are completed with 2 domains"
        );
        assert_eq!(judged(""), "passed: names are completed with 0 domains");
        let many = judged("search a\nsearch a b c d e\n");
        assert!(many.starts_with("warning: the host completes names with 5 domains"));
    }
}
