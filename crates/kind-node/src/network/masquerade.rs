//! What leaves the pod network goes out under the node's address: nobody outside knows the way
//! back to a pod.

use std::convert::Infallible;
use std::io;
use std::thread::sleep;
use std::time::Duration;

use ipnet::IpNet;

use crate::nft::{
    Batch, Connection, Family, Field, Hook, Match, Rule, Table, Verdict, wait_for_removal,
};

/// Our table, one of each family in use.
const TABLE: &str = "kindnet-masquerade";
const CHAIN: &str = "postrouting";
/// Time between two attempts when the kernel refuses.
const RETRY: Duration = Duration::from_secs(10);
/// Rules that someone removes again and again are not set more often than this.
const PACE: Duration = Duration::from_millis(100);

/// Sets the rules and sets them again whenever someone removes them. For ever; it waits for the
/// kernel, so it wants a thread of its own.
pub(super) fn keep(pod_subnets: &[IpNet]) -> Infallible {
    loop {
        let Err(error) = guard(pod_subnets);
        tracing::error!(%error, "cannot masquerade what leaves the pod network");
        sleep(RETRY);
    }
}

/// Keeps the rules until something goes wrong.
fn guard(pod_subnets: &[IpNet]) -> io::Result<Infallible> {
    let connection = Connection::open()?;
    // Listening begins before the rules stand, so that no removal goes unheard.
    let mut removal = wait_for_removal(TABLE, connection.port())?;
    loop {
        connection.apply(rules(pod_subnets))?;
        tracing::info!("masquerading what leaves the pod network");
        removal()?;
        tracing::warn!("the rules for masquerading were removed; setting them again");
        sleep(PACE);
    }
}

/// The rules: pods reach each other under their own addresses, everything else under the node's.
fn rules(pod_subnets: &[IpNet]) -> Batch {
    let mut batch = Batch::new();
    for family in [Family::V4, Family::V6] {
        let of_family = |subnet: &&IpNet| Family::of_range(subnet) == family;
        let subnets: Vec<&IpNet> = pod_subnets.iter().filter(of_family).collect();
        if subnets.is_empty() {
            continue;
        }
        let rules = |field, verdict: Verdict| {
            let rule =
                move |subnet: &&IpNet| Rule::new([Match::In(field, **subnet)], verdict.clone());
            subnets.iter().map(rule)
        };
        let pods = rules(Field::Destination, Verdict::Return);
        let others = rules(Field::Source, Verdict::Masquerade);
        let mut table = Table::new(family, TABLE);
        table.hook(CHAIN, Hook::SourceNat, pods.chain(others).collect());
        batch.replace(&table);
    }
    batch
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::testing::in_namespace;

    fn subnets() -> Vec<IpNet> {
        ["10.244.0.0/16", "fd00:10:244::/56"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect()
    }

    fn nft(arguments: &[&str]) -> String {
        let output = Command::new("nft").args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

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
            let connection = Connection::open().unwrap();
            for _ in 0..2 {
                connection.apply(rules(&subnets())).unwrap();
                assert_eq!(nft(&["list", "ruleset"]), RULESET);
            }
        });
    }

    #[test]
    fn removed_rules_come_back() {
        in_namespace(|| {
            // Ends with the test program; a thread takes its namespace from the one that starts it.
            std::thread::spawn(|| keep(&subnets()));
            for removal in [
                &["flush", "ruleset"][..],
                &["delete", "table", "ip", TABLE],
                &["flush", "table", "ip6", TABLE],
            ] {
                wait_for(RULESET);
                nft(removal);
            }
            wait_for(RULESET);
        });
    }

    fn wait_for(ruleset: &str) {
        // A table that was set again may stand at another place in the list.
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        for _ in 0..100 {
            if sorted(&nft(&["list", "ruleset"])) == sorted(ruleset) {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("{}", nft(&["list", "ruleset"]));
    }
}
