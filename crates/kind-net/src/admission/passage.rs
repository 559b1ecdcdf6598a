//! Which rules a bridge needs in a filter table, and which it has.

/// A rule that a bridge needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Passage {
    /// The chain where packets would be dropped otherwise.
    pub(super) chain: &'static str,
    /// Everything after the chain's name, as iptables takes it.
    pub(super) rule: Vec<String>,
}

/// The chains that may hold rules of ours.
pub(super) const CHAINS: [&str; 3] = ["FORWARD", USER, "INPUT"];
/// Docker jumps here first from `FORWARD`, and keeps what stands here when it starts anew.
const USER: &str = "DOCKER-USER";

const EVERYWHERE: &[&str] = &[];
/// Bridges of other programs, whose own rules say who gets in; iptables knows a `+` at the end of a name.
const BRIDGES: [&str; 4] = ["docker0", "br-+", "podman+", "virbr+"];
const REPLIES: &[&str] = &["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"];
/// Nodes ask the host for names where the host's own name server listens on loopback only.
const NAMES: [&[&str]; 2] = [
    &["-p", "udp", "-m", "udp", "--dport", "53"],
    &["-p", "tcp", "-m", "tcp", "--dport", "53"],
];

/// The rules that `bridge` needs in a table that `iptables -S` lists like this.
pub(super) fn needed_passages(listing: &str, bridge: &str) -> Vec<Passage> {
    let rule_to = |chain: &'static str, direction: &str, matches: &[&str], target: &str| Passage {
        chain,
        rule: bridge_rule(bridge, direction, matches, target),
    };
    let rule = |chain: &'static str, direction: &str, matches: &[&str]| {
        rule_to(chain, direction, matches, "ACCEPT")
    };
    let mut passages = Vec::new();
    if let Some(chain) = forwarding_chain(listing) {
        // Each comes before those that are there.
        passages.push(rule(chain, "-i", EVERYWHERE));
        passages.extend(BRIDGES.map(|other| rule_to(chain, "-i", &["-o", other], "RETURN")));
        passages.push(rule(chain, "-i", &["-o", bridge]));
        passages.push(rule(chain, "-o", REPLIES));
    }
    if drops_unmatched(listing, "INPUT") {
        passages.extend(NAMES.map(|matches| rule("INPUT", "-i", matches)));
    }
    passages
}

/// Whether a listing has rules of `bridge` already.
pub(super) fn has_passages(listing: &str, bridge: &str) -> bool {
    !passage_deletions(listing, bridge).is_empty()
}

/// The arguments that delete each rule of `bridge` in a listing, however often it is there.
pub(super) fn passage_deletions(listing: &str, bridge: &str) -> Vec<Vec<String>> {
    let comment = bridge_comment(bridge);
    listing
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| words.first() == Some(&"-A") && words.contains(&comment.as_str()))
        .map(|words| {
            let rest = words.into_iter().skip(1);
            ["-D"].into_iter().chain(rest).map(str::to_owned).collect()
        })
        .collect()
}

/// What people see beside the rules: letters, digits and dashes, which iptables does not put in quotes.
fn bridge_comment(bridge: &str) -> String {
    format!("kind-{bridge}")
}

fn bridge_rule(bridge: &str, direction: &str, matches: &[&str], target: &str) -> Vec<String> {
    let comment = bridge_comment(bridge);
    let ends = ["-m", "comment", "--comment", &comment, "-j", target];
    let words = [direction, bridge].into_iter();
    let words = words.chain(matches.iter().copied()).chain(ends);
    words.map(str::to_owned).collect()
}

fn forwarding_chain(listing: &str) -> Option<&'static str> {
    let jump = format!("-A FORWARD -j {USER}");
    if listing.lines().any(|line| line.trim_end() == jump) {
        return Some(USER);
    }
    drops_unmatched(listing, "FORWARD").then_some("FORWARD")
}

/// Whether a chain ends by refusing what no rule knows: by its policy, or by a rule without conditions.
fn drops_unmatched(listing: &str, chain: &str) -> bool {
    let policy = format!("-P {chain} DROP");
    let rules = ["DROP", "REJECT"].map(|target| format!("-A {chain} -j {target}"));
    listing.lines().map(str::trim_end).any(|line| {
        line == policy
            || rules.iter().any(|rule| {
                let rest = line.strip_prefix(rule.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Docker 20.10 on Debian 12, shortened.
    const DOCKER: &str = "\
-P INPUT ACCEPT
-P FORWARD DROP
-P OUTPUT ACCEPT
-N DOCKER
-N DOCKER-ISOLATION-STAGE-1
-N DOCKER-USER
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-USER -j RETURN
";
    /// ufw, shortened.
    const UFW: &str = "\
-P INPUT DROP
-P FORWARD DROP
-P OUTPUT ACCEPT
-A INPUT -j ufw-before-input
-A FORWARD -j ufw-before-forward
";
    /// A policy that a rule at the end of the chain makes.
    const REJECTING: &str = "\
-P INPUT ACCEPT
-P FORWARD ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
";
    const HARMLESS: &str = "\
-P INPUT ACCEPT
-P FORWARD ACCEPT
-N DOCKER-USER
-A FORWARD -i eth1 -j DROP
-A FORWARD -j DROPPED-LATER
";

    fn chains(listing: &str) -> Vec<&'static str> {
        let needed = needed_passages(listing, "br-x");
        needed.iter().map(|passage| passage.chain).collect()
    }

    #[test]
    fn only_chains_that_drop_get_rules() {
        let forwarding = BRIDGES.len() + 3;
        assert_eq!(chains(DOCKER), vec!["DOCKER-USER"; forwarding]);
        let expected = [vec!["FORWARD"; forwarding], vec!["INPUT"; 2]].concat();
        assert_eq!(chains(UFW), expected);
        assert_eq!(chains(REJECTING), expected);
        assert_eq!(chains(HARMLESS), [""; 0]);
        assert_eq!(chains(""), [""; 0]);
    }

    #[test]
    fn only_the_own_bridge_loses_its_rules() {
        let own = needed_passages(UFW, "br-1");
        let other = needed_passages(UFW, "br-12");
        let lines = own.iter().chain(&other).chain(&own).map(|passage| {
            let rule = passage.rule.join(" ");
            format!("-A {} {rule}\n", passage.chain)
        });
        let listing: String = UFW
            .lines()
            .map(|line| format!("{line}\n"))
            .chain(lines)
            .collect();
        let deletions = passage_deletions(&listing, "br-1");
        assert_eq!(deletions.len(), own.len() * 2);
        assert_eq!(
            deletions[BRIDGES.len() + 2].join(" "),
            "-D FORWARD -o br-1 -m conntrack --ctstate RELATED,ESTABLISHED \
             -m comment --comment kind-br-1 -j ACCEPT"
        );
    }
}
