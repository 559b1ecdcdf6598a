//! Rules that stand as long as the add-on runs, whoever removes them meanwhile.

use std::convert::Infallible;
use std::io;
use std::thread::sleep;
use std::time::Duration;

use crate::nft::{Batch, Connection, Table, wait_for_removal};

/// Time between two attempts when the kernel refuses.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// Rules that someone removes again and again are not set more often than this.
const MIN_SYNC_INTERVAL: Duration = Duration::from_millis(100);

/// Sets tables of one name, and sets them again whenever someone removes of them. For ever; it waits for
/// the kernel, so it wants a thread of its own.
pub(super) fn keep_tables(name: &str, tables: &[Table]) -> Infallible {
    loop {
        let Err(error) = guard_tables(name, tables);
        tracing::error!(%error, table = name, "cannot set rules");
        sleep(RETRY_INTERVAL);
    }
}

/// Keeps the tables until something goes wrong.
fn guard_tables(name: &str, tables: &[Table]) -> io::Result<Infallible> {
    let connection = Connection::open_netlink()?;
    // Listening begins before the rules stand, so that no removal goes unheard.
    let mut removal = wait_for_removal(name, connection.port())?;
    loop {
        let mut batch = Batch::new();
        tables.iter().for_each(|table| batch.replace_table(table));
        connection.apply_batch(batch)?;
        tracing::info!(table = name, "rules are set");
        removal()?;
        tracing::warn!(table = name, "rules were removed; setting them again");
        sleep(MIN_SYNC_INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::nft::{Family, Hook, Match, Rule, Verdict};
    use crate::testing::in_namespace;

    const NAME: &str = "kept";
    const RULESET: &str = "\
table ip kept {
\tchain c {
\t\ttype filter hook output priority filter + 10; policy accept;
\t\tmeta l4proto icmp drop
\t}
}
";

    fn nft(arguments: &[&str]) -> String {
        let output = Command::new("nft").args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn removed_rules_come_back() {
        in_namespace(|| {
            let mut table = Table::new(Family::V4, NAME);
            let rule = Rule::new([Match::Protocol(1)], Verdict::Drop);
            table.add_hook("c", Hook::Output, vec![rule]);
            // Ends with the test program; a thread takes its namespace from the one that starts it.
            std::thread::spawn(move || keep_tables(NAME, &[table]));
            for removal in [
                &["flush", "ruleset"][..],
                &["delete", "table", "ip", NAME],
                &["flush", "table", "ip", NAME],
            ] {
                wait_for(RULESET);
                nft(removal);
            }
            wait_for(RULESET);
        });
    }

    fn wait_for(ruleset: &str) {
        for _ in 0..100 {
            if nft(&["list", "ruleset"]) == ruleset {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("{}", nft(&["list", "ruleset"]));
    }
}
