//! What goes to an address of the Services' range that serves nothing is refused.
//!
//! kube-proxy leads what is for a Service's port to a pod, or refuses it where there is none. In the modes
//! iptables and ipvs it has no rule for an address that no Service has any more, or for another port of
//! one, and such packets would leave the node by its default route: into nowhere, or to a program that
//! takes connections to whatever address. Here they are refused as kube-proxy refuses them, after all
//! that may lead them elsewhere, and after all that kube-proxy drops: a Service with `internalTrafficPolicy:
//! Local` may have its next pod on this node soon. The range is known only where kube-proxy serves Services:
//! another program may do so at other places.

use ipnet::IpNet;

use crate::nft::{Family, Field, Hook, Match, Rule, Table, Verdict};

/// Our table, one of each family in use.
pub(super) const TABLE: &str = "kindnet-services";

/// The rules for these ranges.
pub(super) fn unserved_tables(service_subnets: &[IpNet]) -> Vec<Table> {
    let families = [Family::V4, Family::V6].into_iter();
    families
        .filter_map(|family| unserved_table(service_subnets, family))
        .collect()
}

fn unserved_table(service_subnets: &[IpNet], family: Family) -> Option<Table> {
    let of_family = |subnet: &&IpNet| Family::of_range(subnet) == family;
    let reject =
        |subnet: &IpNet| Rule::new([Match::In(Field::Destination, *subnet)], Verdict::Reject);
    let subnets = service_subnets.iter().filter(of_family);
    let rules: Vec<Rule> = subnets.map(reject).collect();
    if rules.is_empty() {
        return None;
    }
    let mut table = Table::new(family, TABLE);
    table.add_hook("forward", Hook::Forward, rules.clone());
    table.add_hook("output", Hook::Output, rules);
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{in_namespace, listed_after};

    const RULESET: &str = "\
table ip kindnet-services {
\tchain forward {
\t\ttype filter hook forward priority filter + 10; policy accept;
\t\tip daddr 10.96.0.0/16 reject with icmp port-unreachable
\t}

\tchain output {
\t\ttype filter hook output priority filter + 10; policy accept;
\t\tip daddr 10.96.0.0/16 reject with icmp port-unreachable
\t}
}
";

    #[test]
    fn the_kernel_understands_the_rules() {
        in_namespace(|| {
            let subnets = ["10.96.0.0/16".parse().unwrap()];
            // nft leaves out what is the default.
            let listed = listed_after(&unserved_tables(&subnets))
                .replace("reject\n", "reject with icmp port-unreachable\n");
            assert_eq!(listed, RULESET);
        });
    }

    #[test]
    fn where_the_range_is_not_known_there_are_no_rules() {
        assert_eq!(unserved_tables(&[]), []);
    }
}
