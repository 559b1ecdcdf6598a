//! The kernel's rules of policies: what it has, and what it refuses.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;
use kind_node::cni;
use tokio::sync::mpsc;

use super::super::error::report_error;
use super::super::settings::Settings;
use super::cluster::Cluster;
use super::compile::compile_policies;
use crate::kubernetes::store::Key;
use crate::nft::{Batch, Connection, Family, Table, wait_for_removal};
use crate::pod_addresses;
use crate::restricted_pods::TABLE;

/// The table in which policies are tried.
const TRIAL: &str = "kindnet-policy-trial";
/// Rules that someone removes again and again are not set more often than this.
const MIN_SYNC_INTERVAL: Duration = Duration::from_millis(100);

/// Says whenever someone else removed rules.
pub(super) type Removals = mpsc::Receiver<io::Result<()>>;

/// The kernel's rules, and what is known of them.
pub(super) struct Kernel {
    connection: Connection,
    families: Vec<Family>,
    /// What the kernel has; nothing before it was set the first time.
    present: Vec<Table>,
}

impl Kernel {
    /// Connects to the kernel, for the families that pods have addresses of.
    pub(super) fn open_kernel(settings: &Settings) -> io::Result<Self> {
        let mut families: Vec<_> = settings.pod_subnets.iter().map(Family::of_range).collect();
        families.sort_unstable();
        families.dedup();
        Ok(Self {
            connection: Connection::open_netlink()?,
            families,
            present: Vec::new(),
        })
    }

    /// Removes all rules.
    pub(super) fn clear_rules(&mut self) -> io::Result<()> {
        let mut batch = Batch::new();
        for family in &self.families {
            batch.remove_table(&Table::new(*family, TABLE));
        }
        self.forget_rules();
        self.connection.apply_batch(batch)
    }

    /// Someone else changed the rules: the next ones replace whatever there is.
    pub(super) fn forget_rules(&mut self) {
        self.present.clear();
    }

    /// Tells whenever someone else removes rules.
    pub(super) fn watch_removals(&self) -> io::Result<Removals> {
        let (sender, receiver) = mpsc::channel(1);
        let mut removal = wait_for_removal(TABLE, self.connection.port())?;
        std::thread::spawn(move || {
            loop {
                let result = removal();
                let last = result.is_err();
                if sender.blocking_send(result).is_err() || last {
                    return;
                }
                std::thread::sleep(MIN_SYNC_INTERVAL);
            }
        });
        Ok(receiver)
    }

    pub(super) fn set_rules(&mut self, cluster: &Cluster) -> io::Result<()> {
        self.set_for(cluster, &pod_addresses::own_ranges(Path::new(cni::PATH)))
    }

    /// Makes the kernel's rules those of the cluster, for pods of these ranges on this node.
    pub(super) fn set_for(&mut self, cluster: &Cluster, ranges: &[IpNet]) -> io::Result<()> {
        let tables = self.compile_tables(cluster, ranges, &BTreeSet::new());
        if self.present == tables {
            return Ok(());
        }
        if !self.present.is_empty() {
            let mut batch = Batch::new();
            for (before, after) in self.present.iter().zip(&tables) {
                batch.change_table(before, after);
            }
            match self.connection.apply_batch(batch) {
                Ok(()) => {
                    self.present = tables;
                    return Ok(());
                }
                Err(error) => {
                    report_error(&error, "the rules are not as expected; setting all again")
                }
            }
        }
        let Err(error) = self.replace_all(tables) else {
            return Ok(());
        };
        report_error(
            &error,
            "the kernel refuses rules; looking for the policies that they are of",
        );
        let refused = self.find_refused(cluster, ranges);
        for (key, policy) in cluster.policies.all_objects() {
            if refused.contains(&policy.id) {
                let Key { namespace, name } = key;
                tracing::error!(
                    namespace,
                    name,
                    "the kernel refuses this policy, which allows nothing now"
                );
            }
        }
        self.replace_all(self.compile_tables(cluster, ranges, &refused))
    }

    /// Makes the kernel's tables these, whatever they were.
    fn replace_all(&mut self, tables: Vec<Table>) -> io::Result<()> {
        let mut batch = Batch::new();
        tables.iter().for_each(|table| batch.replace_table(table));
        self.forget_rules();
        self.connection.apply_batch(batch)?;
        self.present = tables;
        Ok(())
    }

    fn compile_tables(
        &self,
        cluster: &Cluster,
        ranges: &[IpNet],
        refused: &BTreeSet<String>,
    ) -> Vec<Table> {
        let families = self.families.iter();
        let compile = |family: &Family| compile_policies(cluster, ranges, refused, *family);
        families.map(compile).collect()
    }

    /// Ids of the policies whose rules the kernel does not take: each is tried alone, in a table that no packet enters.
    fn find_refused(&self, cluster: &Cluster, ranges: &[IpNet]) -> BTreeSet<String> {
        let policies = cluster.policies.all_objects().values();
        let all: BTreeSet<String> = policies.map(|policy| policy.id.clone()).collect();
        let is_refused = |id: &&String| {
            let mut others = all.clone();
            others.remove(*id);
            let tables = self.compile_tables(cluster, ranges, &others);
            self.try_tables(tables).is_err()
        };
        all.iter().filter(is_refused).cloned().collect()
    }

    fn try_tables(&self, tables: Vec<Table>) -> io::Result<()> {
        let mut batch = Batch::new();
        for mut table in tables {
            table.name = TRIAL;
            table
                .chains
                .values_mut()
                .for_each(|chain| chain.hook = None);
            batch.replace_table(&table);
            batch.remove_table(&table);
        }
        self.connection.apply_batch(batch)
    }
}
