//! What leaves the pod network goes out under the node's address: nobody outside knows the way
//! back to a pod.

use ipnet::IpNet;

use crate::nft::{Family, Field, Hook, Match, Rule, Table, Verdict};

/// Our table, one of each family in use.
pub(super) const TABLE: &str = "kindnet-masquerade";
const CHAIN: &str = "postrouting";

/// The rules: pods reach each other under their own addresses, everything else under the node's.
pub(super) fn masquerade_tables(pod_subnets: &[IpNet]) -> Vec<Table> {
    let families = [Family::V4, Family::V6].into_iter();
    families
        .filter_map(|family| masquerade_table(pod_subnets, family))
        .collect()
}

fn masquerade_table(pod_subnets: &[IpNet], family: Family) -> Option<Table> {
    let of_family = |subnet: &&IpNet| Family::of_range(subnet) == family;
    let subnets: Vec<&IpNet> = pod_subnets.iter().filter(of_family).collect();
    if subnets.is_empty() {
        return None;
    }
    let rules = |field, verdict: Verdict| {
        let rule = move |subnet: &&IpNet| Rule::new([Match::In(field, **subnet)], verdict.clone());
        subnets.iter().map(rule)
    };
    let pods = rules(Field::Destination, Verdict::Return);
    let others = rules(Field::Source, Verdict::Masquerade);
    let mut table = Table::new(family, TABLE);
    table.add_hook(CHAIN, Hook::SourceNat, pods.chain(others).collect());
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{in_namespace, listed_after};

    const RULESET: &str = "\
table ip kindnet-masquerade {
\tchain postrouting {
\t\ttype nat hook postrouting priority srcnat; policy accept;
\t\tip daddr 10.244.0.0/16 return
\t\tip saddr 10.244.0.0/16 masquerade
\t}
}
table ip6 kindnet-masquerade {
\tchain postrouting {
\t\ttype nat hook postrouting priority srcnat; policy accept;
\t\tip6 daddr fd00:10:244::/56 return
\t\tip6 saddr fd00:10:244::/56 masquerade
\t}
}
";

    #[test]
    fn the_kernel_understands_the_rules() {
        in_namespace(|| {
            let subnets = ["10.244.0.0/16", "fd00:10:244::/56"].map(|text| text.parse().unwrap());
            for _ in 0..2 {
                assert_eq!(listed_after(&masquerade_tables(&subnets)), RULESET);
            }
        });
    }
}
