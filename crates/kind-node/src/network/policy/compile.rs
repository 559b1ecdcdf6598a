//! From policies to rules.
//!
//! A packet that leaves the node passes `leaving`: the map `egress` leads the packets of a pod that
//! policies restrict to the pod's chain, which tries the chains of its policies and loses what none
//! of them allows. What is allowed to be sent goes on in `ingress`, where the receiving pod has its
//! say in the same way. Policies' chains refer to sets of addresses, so that a pod that comes or
//! goes changes no rule of another one.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::allowed::Part;
use super::cluster::{Cluster, Pod};
use super::compiler::Compiler;
use super::direction::Direction;
use super::ranges::gateway_address;
use crate::kubernetes::store::Key;
use crate::nft::{Family, Field, Hook, Match, Rule, Set, Table, Verdict};
use crate::restricted_pods::{NEIGHBOURS, TABLE};

/// The chain that asks the receiving pod.
const INGRESS: &str = "ingress";
/// The set of all pods of this node whose addresses are known.
const PODS: &str = "pods";

/// The table for one family. `ranges` are those of this node's pods, `refused` the policies of whose rules the kernel will
/// not have any: they restrict their pods and allow nothing.
pub(super) fn compile_policies(
    cluster: &Cluster,
    ranges: &[IpNet],
    refused: &BTreeSet<String>,
    family: Family,
) -> Table {
    let mut compiler = Compiler {
        cluster,
        refused,
        family,
        table: Table::new(family, TABLE),
    };
    compiler.add_hooks();
    for direction in Direction::BOTH {
        let restricted = compiler.add_policies(direction);
        compiler.add_guard(direction, ranges);
        compiler.add_pods(direction, restricted);
    }
    let here = cluster.pods.all_objects().values().filter(|pod| pod.here);
    let known = here.flat_map(|pod| compiler.addresses(pod)).collect();
    compiler.table.add_set(PODS, Set::Addresses(known));
    compiler.table
}

/// Pods that policies restrict in one direction, with the policies' chains.
type Restricted<'a> = BTreeMap<&'a Key, (&'a Pod, Vec<String>)>;

impl<'a> Compiler<'a> {
    /// The chains where packets enter.
    fn add_hooks(&mut self) {
        let judge_sender = [
            Rule::new(
                [],
                Verdict::Map(Field::Source, Direction::Egress.name().to_owned()),
            ),
            Rule::new([], Verdict::Jump(Direction::Egress.guard())),
        ];
        let established = Rule::new([Match::Established], Verdict::Accept);
        let mut input = vec![established.clone()];
        if self.family == Family::V6 {
            input.push(Rule::new(NEIGHBOURS, Verdict::Accept));
        }
        input.extend(judge_sender.clone());
        // What a pod sends to its node ends there and never leaves.
        self.table.add_hook("input", Hook::Input, input);

        let from_here = Rule::new([Match::FromHere], Verdict::Accept);
        let mut leaving = vec![established, from_here];
        leaving.extend(judge_sender);
        leaving.push(Rule::new([], Verdict::Jump(INGRESS.to_owned())));
        self.table.add_hook("leaving", Hook::Leaving, leaving);

        let judge_receiver = vec![
            Rule::new([], Verdict::Map(Field::Destination, INGRESS.to_owned())),
            Rule::new([], Verdict::Jump(Direction::Ingress.guard())),
            Rule::new([], Verdict::Accept),
        ];
        self.table.add_chain(INGRESS, judge_receiver);
    }

    /// A chain for each policy that has a say about pods of this node.
    fn add_policies(&mut self, direction: Direction) -> Restricted<'a> {
        let mut restricted = Restricted::new();
        let cluster = self.cluster;
        for (key, policy) in cluster.policies.all_objects() {
            let Some(rules) = direction.rules(policy) else {
                continue;
            };
            let selected = cluster.pods.all_objects().iter().filter(|(pod_key, pod)| {
                pod.here && pod_key.namespace == key.namespace && policy.pods.selects(&pod.labels)
            });
            let selected: Vec<(&Key, &Pod)> = selected.collect();
            if selected.is_empty() {
                continue;
            }
            if self.refused.contains(&policy.id) {
                for (key, pod) in selected {
                    restricted.entry(key).or_insert((pod, Vec::new()));
                }
                continue;
            }
            let chain = format!("{}-{}", direction.name(), policy.id);
            let mut compiled = Vec::new();
            for (index, allowed) in rules.iter().enumerate() {
                let name = format!("{chain}-{index}");
                let part = Part {
                    name: &name,
                    namespace: &key.namespace,
                    direction,
                    selected: &selected,
                };
                compiled.extend(self.allowed_rules(&part, allowed));
            }
            self.table.add_chain(chain.clone(), compiled);
            for (key, pod) in selected {
                let (_, chains) = restricted.entry(key).or_insert((pod, Vec::new()));
                chains.push(chain.clone());
            }
        }
        restricted
    }

    /// A chain for each restricted pod, and the map that leads there.
    fn add_pods(&mut self, direction: Direction, restricted: Restricted<'_>) {
        let mut map = BTreeMap::new();
        for (pod, chains) in restricted.into_values() {
            for address in self.addresses(pod) {
                let itself = Match::In(direction.other(), IpNet::from(address));
                let jump = |chain: &String| Rule::new([], Verdict::Jump(chain.clone()));
                // Nobody can keep a pod from talking to itself, not even through a Service.
                let mut rules = vec![Rule::new([itself], direction.passed())];
                rules.extend(chains.iter().map(jump));
                rules.push(Rule::new([], Verdict::Drop));
                let chain = format!("{}-{address}", direction.name());
                self.table.add_chain(chain.clone(), rules);
                map.insert(address, chain);
            }
        }
        self.table.add_set(direction.name(), Set::Chains(map));
    }

    /// A pod may send as soon as it has an address, and the API server learns of it later; one that is started again gets
    /// another one. Where there are policies, nobody whose address is not known sends or gets anything: whoever it is may
    /// be restricted, and rules stay while this program is away. Pods may send to their node under its own address of
    /// their range, whatever others may get.
    fn add_guard(&mut self, direction: Direction, ranges: &[IpNet]) {
        let mut policies = self.cluster.policies.all_objects().values();
        let restricts = policies.any(|policy| direction.rules(policy).is_some());
        let of_family = |range: &&IpNet| Family::of_range(range) == self.family;
        let ranges = ranges.iter().filter(of_family).filter(|_| restricts);
        let field = direction.own();
        let rules = ranges.flat_map(|range| {
            let node = Match::In(field, IpNet::from(gateway_address(range)));
            let to_node = Rule::new([node], Verdict::Return);
            let unknown = Match::NotInSet(field, PODS.to_owned());
            let drop = Rule::new([Match::In(field, *range), unknown], Verdict::Drop);
            let is_known = direction == Direction::Ingress;
            is_known.then_some(to_node).into_iter().chain([drop])
        });
        let rules = rules.collect();
        self.table.add_chain(direction.guard(), rules);
    }
}
