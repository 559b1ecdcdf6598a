//! Docker's embedded name service, made reachable for pods.
//!
//! It listens on 127.0.0.11 in the node's network namespace, behind rules that only serve the node
//! itself. Pods come from elsewhere, so the rules are moved to an address they can reach: that of
//! the host.

use std::net::Ipv4Addr;

/// Where docker puts its name service.
pub(super) const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);

/// Rules as `iptables-save` prints them, with the name service at `host`.
pub(super) fn edit_rules(saved: &str, host: Ipv4Addr) -> String {
    let mut edited = String::with_capacity(saved.len() + 256);
    for line in saved.lines() {
        let line = edit_rule(line, host);
        edited.push_str(&line);
        edited.push('\n');
        // What the node's own programs get, packets that arrive from pods get as well.
        if let Some(rule) = line.strip_prefix("-A OUTPUT ")
            && rule.ends_with("-j DOCKER_OUTPUT")
            && !saved.contains("-A PREROUTING -d ")
        {
            edited.push_str("-A PREROUTING ");
            edited.push_str(rule);
            edited.push('\n');
        }
    }
    edited
}

fn edit_rule(line: &str, host: Ipv4Addr) -> String {
    let mut line = line.replace(&format!("-d {ADDRESS}"), &format!("-d {host}"));
    line = line.replace("--to-source :53", &format!("--to-source {host}:53"));
    // iptables 1.8.8 leaves the port out when it prints rules that 1.8.7 made.
    let forward = format!("-j DNAT --to-destination {ADDRESS}:");
    if line.contains(&forward) && !line.contains("--dport") {
        line = line.replace(&forward, &format!("--dport 53 {forward}"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Ipv4Addr = Ipv4Addr::new(172, 18, 0, 1);

    #[test]
    fn rules_of_docker_move_to_the_host() {
        let saved = "\
*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER_OUTPUT - [0:0]
:DOCKER_POSTROUTING - [0:0]
-A OUTPUT -d 127.0.0.11/32 -j DOCKER_OUTPUT
-A POSTROUTING -d 127.0.0.11/32 -j DOCKER_POSTROUTING
-A DOCKER_OUTPUT -d 127.0.0.11/32 -p tcp -m tcp --dport 53 -j DNAT --to-destination 127.0.0.11:37065
-A DOCKER_OUTPUT -d 127.0.0.11/32 -p udp -j DNAT --to-destination 127.0.0.11:49837
-A DOCKER_POSTROUTING -s 127.0.0.11/32 -p tcp -m tcp --sport 37065 -j SNAT --to-source :53
COMMIT
";
        let expected = "\
*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER_OUTPUT - [0:0]
:DOCKER_POSTROUTING - [0:0]
-A OUTPUT -d 172.18.0.1/32 -j DOCKER_OUTPUT
-A PREROUTING -d 172.18.0.1/32 -j DOCKER_OUTPUT
-A POSTROUTING -d 172.18.0.1/32 -j DOCKER_POSTROUTING
-A DOCKER_OUTPUT -d 172.18.0.1/32 -p tcp -m tcp --dport 53 -j DNAT --to-destination 127.0.0.11:37065
-A DOCKER_OUTPUT -d 172.18.0.1/32 -p udp --dport 53 -j DNAT --to-destination 127.0.0.11:49837
-A DOCKER_POSTROUTING -s 127.0.0.11/32 -p tcp -m tcp --sport 37065 -j SNAT --to-source 172.18.0.1:53
COMMIT
";
        assert_eq!(edit_rules(saved, HOST), expected);
        // A second boot in the same namespace finds nothing more to do.
        assert_eq!(edit_rules(expected, HOST), expected);
    }

    #[test]
    fn other_rules_stay_as_they_are() {
        let saved = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 10.0.0.1/32 -j ACCEPT\nCOMMIT\n";
        assert_eq!(edit_rules(saved, HOST), saved);
    }
}
