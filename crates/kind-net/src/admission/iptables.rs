//! The filter tables of a host's iptables, for both families and both ways it has to the kernel.

use std::fs;
use std::io;
use std::process::{Output, Stdio};

use super::{orphans, passage};
use crate::{Error, host_program};

/// The way an iptables program has to the kernel. A host can use both at once, for different rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    Nft,
    Legacy,
}

/// The filter table of a family.
#[derive(Debug)]
pub(super) struct Table {
    /// As nftables names it.
    family: &'static str,
    variant: Variant,
    /// Programs that may be able to change it, the surest first.
    programs: [&'static str; 2],
}

const TABLES: [Table; 4] = [
    Table {
        family: "ip",
        variant: Variant::Nft,
        programs: ["iptables-nft", "iptables"],
    },
    Table {
        family: "ip",
        variant: Variant::Legacy,
        programs: ["iptables-legacy", "iptables"],
    },
    Table {
        family: "ip6",
        variant: Variant::Nft,
        programs: ["ip6tables-nft", "ip6tables"],
    },
    Table {
        family: "ip6",
        variant: Variant::Legacy,
        programs: ["ip6tables-legacy", "ip6tables"],
    },
];

/// The tables that exist, given all of nftables. Asking iptables itself would make those that do not.
pub(super) fn present_tables(known: &[(String, String)]) -> Vec<Table> {
    let exists = |table: &Table| match table.variant {
        Variant::Nft => known
            .iter()
            .any(|(family, name)| family == table.family && name == "filter"),
        Variant::Legacy => {
            // Of the thread: its network namespace may be another than its process's.
            let path = format!("/proc/thread-self/net/{}_tables_names", table.family);
            fs::read_to_string(path).is_ok_and(|names| names.lines().any(|name| name == "filter"))
        }
    };
    TABLES.into_iter().filter(exists).collect()
}

impl Table {
    /// Adds the rules that `bridge` needs and does not have.
    pub(super) fn grant(&self, bridge: &str) -> Result<(), Error> {
        let Some((program, listing)) = self.read() else {
            return Ok(());
        };
        let fresh = !passage::has_passages(&listing, bridge);
        for passage in passage::needed_passages(&listing, bridge) {
            let rule = as_str(&passage.rule);
            let with = |action| [&[action, passage.chain], rule.as_slice()].concat();
            if fresh || !run_iptables(program, &with("-C"))?.status.success() {
                change_rules(program, &with("-I"))?;
            }
        }
        Ok(())
    }

    /// Removes all rules of `bridge`.
    pub(super) fn revoke(&self, bridge: &str) -> Result<(), Error> {
        match self.read() {
            Some((program, listing)) => passage::passage_deletions(&listing, bridge)
                .iter()
                .try_for_each(|deletion| change_rules(program, &as_str(deletion))),
            None if self.variant == Variant::Nft => orphans::remove_orphans(self.family, bridge),
            // Nothing else can change such a table.
            None => Ok(()),
        }
    }

    /// The program for this table with all its rules. None if no program can read it: there is none, or
    /// the table has rules that are not iptables' own.
    fn read(&self) -> Option<(&'static str, String)> {
        let program = *self.programs.iter().find(|program| self.is_for(program))?;
        let output = run_iptables(program, &["-S"]).ok()?;
        let listing = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some((program, listing))
    }

    fn is_for(&self, program: &str) -> bool {
        let version = host_program(program).arg("--version").output();
        version.is_ok_and(|output| {
            let text = String::from_utf8_lossy(&output.stdout);
            output.status.success() && parse_variant(&text) == self.variant
        })
    }
}

/// Before version 1.8 there was only one.
fn parse_variant(version: &str) -> Variant {
    if version.contains("nf_tables") {
        Variant::Nft
    } else {
        Variant::Legacy
    }
}

fn as_str(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// Runs the program, which waits for others that change the tables.
fn run_iptables(program: &str, arguments: &[&str]) -> Result<Output, Error> {
    let failed = |error: io::Error| Error::Firewall {
        program: program.to_owned(),
        message: error.to_string(),
    };
    let command = &mut host_program(program);
    let command = command.arg("-w").args(arguments).stdin(Stdio::null());
    command.output().map_err(failed)
}

fn change_rules(program: &str, arguments: &[&str]) -> Result<(), Error> {
    let output = run_iptables(program, arguments)?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(Error::Firewall {
        program: program.to_owned(),
        message: message.trim().replace('\n', "; "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_tell_the_variant() {
        assert_eq!(parse_variant("iptables v1.8.9 (nf_tables)\n"), Variant::Nft);
        assert_eq!(parse_variant("iptables v1.8.9 (legacy)\n"), Variant::Legacy);
        assert_eq!(parse_variant("iptables v1.6.1\n"), Variant::Legacy);
    }
}
