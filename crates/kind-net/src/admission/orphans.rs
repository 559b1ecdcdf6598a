//! Rules whose iptables program was removed from the host before they were.

use serde_json::{Value, json};

use super::passage::CHAINS;
use crate::{Error, nft};

/// Where rules of ours lead.
const VERDICTS: [&str; 2] = ["accept", "return"];

/// Removes what names `bridge` from the filter table of a family.
pub(super) fn remove_orphans(family: &str, bridge: &str) -> Result<(), Error> {
    let objects = nft::list(&["table", family, "filter"])?;
    let deletions: Vec<Value> = objects
        .iter()
        .filter_map(|object| object.get("rule"))
        .filter(|rule| is_of_bridge(rule, bridge))
        .map(|rule| {
            json!({ "delete": { "rule": {
                "family": family, "table": "filter",
                "chain": rule["chain"], "handle": rule["handle"],
            } } })
        })
        .collect();
    if deletions.is_empty() {
        return Ok(());
    }
    nft::apply(&json!({ "nftables": deletions }))
}

/// Without iptables the comment cannot be read, but nobody else has reason to name the bridge.
fn is_of_bridge(rule: &Value, bridge: &str) -> bool {
    let expressions = rule["expr"].as_array().map_or(&[][..], Vec::as_slice);
    let ours = |chain: &str| CHAINS.contains(&chain);
    rule["chain"].as_str().is_some_and(ours)
        && expressions
            .iter()
            .any(|expression| names_bridge(&expression["match"], bridge))
        && expressions.iter().any(|expression| {
            VERDICTS
                .iter()
                .any(|verdict| expression.get(verdict).is_some())
        })
}

fn names_bridge(condition: &Value, bridge: &str) -> bool {
    let link = condition["left"]["meta"]["key"].as_str();
    matches!(link, Some("iifname" | "oifname")) && condition["right"] == bridge
}

#[cfg(test)]
mod tests {
    use super::*;
    use kind_testkit::machine::{require_programs, require_root};

    /// As nft 1.0.6 lists a rule that iptables 1.8.9 has made.
    const RULE: &str = r#"{"family": "ip", "table": "filter", "chain": "DOCKER-USER", "handle": 5, "expr": [
        {"match": {"op": "==", "left": {"meta": {"key": "oifname"}}, "right": "br-0123456789ab"}},
        {"xt": {"type": "match", "name": "conntrack"}}, {"xt": {"type": "match", "name": "comment"}},
        {"counter": {"packets": 0, "bytes": 0}}, {"accept": null}]}"#;

    #[test]
    fn only_rules_of_the_bridge_are_known() {
        let rule: Value = serde_json::from_str(RULE).unwrap();
        assert!(is_of_bridge(&rule, "br-0123456789ab"));
        assert!(!is_of_bridge(&rule, "br-0123456789a"));
        let mut other = rule.clone();
        other["chain"] = json!("SOMEONE-ELSES");
        assert!(!is_of_bridge(&other, "br-0123456789ab"));
        let mut other = rule;
        other["expr"][4] = json!({"drop": null});
        assert!(!is_of_bridge(&other, "br-0123456789ab"));
    }

    #[test]
    fn rules_of_a_vanished_iptables_go() {
        require_root();
        require_programs(&["iptables-nft"]);
        let iptables = |arguments: &str| {
            let mut command = std::process::Command::new("iptables-nft");
            let output = command.args(arguments.split(' ')).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        // The thread that changes its namespace ends with the test.
        let work = move || {
            kind_sys::namespace::unshare_network().unwrap();
            iptables("-P FORWARD DROP");
            iptables("-A FORWARD -i br-other -j ACCEPT");
            let before = iptables("-S");
            crate::admission::grant("br-test", &std::collections::BTreeSet::new()).unwrap();
            assert_ne!(iptables("-S"), before);
            remove_orphans("ip", "br-test").unwrap();
            assert_eq!(iptables("-S"), before);
        };
        std::thread::spawn(work).join().unwrap();
    }
}
