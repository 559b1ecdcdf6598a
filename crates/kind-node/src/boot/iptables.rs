//! Which flavour of iptables the node uses: the one the engine used for its own rules here, because
//! the two do not see each other's.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{Error, log, program};

/// The kernel may take this long for a dump on a very busy host.
const DUMP_TIMEOUT: Duration = Duration::from_secs(5);

/// Chooses the flavour. With no rules at all there is nothing to agree with, and the image's own
/// choice stands.
pub(super) fn choose_iptables() -> Result<(), Error> {
    let legacy = legacy_rules();
    let nft =
        count_dumped_rules(&["iptables-nft-save"]) + count_dumped_rules(&["ip6tables-nft-save"]);
    let Some(flavour) = choose_flavour(legacy, nft) else {
        return Ok(());
    };
    log::info(format!("setting iptables to detected mode: {flavour}"));
    for name in ["iptables", "ip6tables"] {
        let target = format!("/usr/sbin/{name}-{flavour}");
        let current = fs::read_link(Path::new("/etc/alternatives").join(name));
        if current.is_ok_and(|current| current == Path::new(&target)) {
            continue;
        }
        program::program_output(&["update-alternatives", "--set", name, &target], "")?;
    }
    Ok(())
}

fn choose_flavour(legacy: usize, nft: usize) -> Option<&'static str> {
    match (legacy, nft) {
        (0, 0) => None,
        (legacy, nft) if legacy >= nft => Some("legacy"),
        _ => Some("nft"),
    }
}

/// Counts rules of the legacy flavour. The dump itself would make the tables it looks for, so the
/// kernel is asked first whether there are any.
fn legacy_rules() -> usize {
    let has_tables = |file: &str| fs::read_to_string(file).is_ok_and(|names| !names.is_empty());
    let mut rules = 0;
    if has_tables("/proc/net/ip_tables_names") {
        rules += count_dumped_rules(&["iptables-legacy-save"]);
    }
    if has_tables("/proc/net/ip6_tables_names") {
        rules += count_dumped_rules(&["ip6tables-legacy-save"]);
    }
    rules
}

/// Counts the rules in a dump; a flavour that the image or the kernel does not have has none.
fn count_dumped_rules(dump: &[&str]) -> usize {
    program::run_program(dump, "", DUMP_TIMEOUT).map_or(0, |output| {
        count_rules(&String::from_utf8_lossy(&output.stdout))
    })
}

fn count_rules(dump: &str) -> usize {
    dump.lines().filter(|line| line.starts_with('-')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flavour_with_more_rules_is_taken() {
        for (legacy, nft, expected) in [
            (0, 0, None),
            (3, 0, Some("legacy")),
            (3, 3, Some("legacy")),
            (1, 2, Some("nft")),
        ] {
            assert_eq!(choose_flavour(legacy, nft), expected);
        }
    }

    #[test]
    fn rules_are_counted_and_chains_are_not() {
        let dump = "# Generated\n*nat\n:OUTPUT ACCEPT [0:0]\n:DOCKER_OUTPUT - [0:0]\n\
                    -A OUTPUT -d 127.0.0.11/32 -j DOCKER_OUTPUT\n-A X -j Y\nCOMMIT\n";
        assert_eq!(count_rules(dump), 2);
    }
}
