//! What a Corefile means: a typed configuration, and what in it was not understood.
//!
//! There are two kinds of what is wrong. What CoreDNS would refuse makes the whole Corefile invalid, and the
//! one before stays in force. What CoreDNS knows and this server does not is left out and named, and the rest is
//! in force. Nothing that would change an answer is taken without doing it.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::rr::Name;
use kind_node::corefile::{self, Directive, Environment, ServerBlock, SourcePosition, SyntaxError};

use super::plugin::arguments::{DirectiveError, Lines, invalid_directive, not_supported};
use super::plugin::autopath::Autopath;
use super::plugin::cache::CacheSettings;
use super::plugin::forward::ForwardSettings;
use super::plugin::hosts::Hosts;
use super::plugin::kubernetes::{Kubernetes, PodMode};
use super::plugin::log::LogRule;
use super::plugin::rewrite::Rule;
use super::plugin::template::Template;
use super::plugin::zones::Zones;
use super::plugin::{arguments, server};

/// Plugins of CoreDNS that this server does not have.
const OTHERS: [&str; 36] = [
    "acl",
    "any",
    "auto",
    "azure",
    "bind",
    "bufsize",
    "chaos",
    "clouddns",
    "dns64",
    "dnssec",
    "dnstap",
    "erratic",
    "etcd",
    "file",
    "geoip",
    "grpc",
    "grpc_server",
    "header",
    "https",
    "https3",
    "k8s_external",
    "local",
    "minimal",
    "multisocket",
    "nomad",
    "nsid",
    "on",
    "pprof",
    "quic",
    "root",
    "route53",
    "secondary",
    "sign",
    "tls",
    "transfer",
    "tsig",
];

/// More of them.
const MORE_OTHERS: [&str; 6] = ["proxyproto", "shed", "timeouts", "trace", "view", "whoami"];

/// Everything a Corefile says.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    /// The server blocks.
    pub(crate) blocks: Vec<Block>,
    /// Time between the signal to end and the end.
    pub(crate) lameduck: Option<Duration>,
}

/// A server block.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// Its zones, each with its port.
    pub(crate) keys: Vec<(Name, u16)>,
    pub(crate) zones: Zones,
    /// Names of the plugins that are on.
    pub(crate) plugins: BTreeSet<String>,
    pub(crate) log: Vec<LogRule>,
    pub(crate) loadbalance: bool,
    /// `prometheus`: where metrics are.
    pub(crate) metrics: Option<SocketAddr>,
    /// `rewrite`, in order.
    pub(crate) rewrite: Vec<Rule>,
    pub(crate) autopath: Option<Autopath>,
    pub(crate) cache: Option<CacheSettings>,
    /// `template`, in order.
    pub(crate) templates: Vec<Template>,
    pub(crate) hosts: Option<Hosts>,
    pub(crate) kubernetes: Option<Kubernetes>,
    /// `forward`, in order.
    pub(crate) forward: Vec<ForwardSettings>,
}

/// Something in a Corefile that is not in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where it stands.
    pub(crate) place: SourcePosition,
    /// Which directive it is, with the property in its block.
    directive: String,
    /// What is wrong.
    pub(crate) fault: DirectiveError,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.place)?;
        if !self.directive.is_empty() {
            write!(formatter, "{}: ", self.directive)?;
        }
        match &self.fault {
            DirectiveError::Invalid(reason) => formatter.write_str(reason),
            DirectiveError::NotSupported(reason) => write!(formatter, "not supported; {reason}"),
        }
    }
}

impl From<SyntaxError> for Problem {
    fn from(error: SyntaxError) -> Self {
        Self {
            place: error.place,
            directive: String::new(),
            fault: DirectiveError::Invalid(error.reason),
        }
    }
}

impl Configuration {
    /// Reads a Corefile; `file` is its name in problems.
    ///
    /// # Errors
    /// All that makes it invalid, and what else was not understood.
    pub(crate) fn read_blocks(
        text: &str,
        file: &str,
        environment: &dyn Environment,
    ) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let blocks = corefile::parse(text, file, environment);
        let mut blocks = blocks.map_err(|error| vec![error.into()])?;
        // Of those with the same key the first is served, best one that is for every client.
        blocks.sort_by_key(narrowness);
        let mut reading = Reading {
            environment,
            configuration: Self::default(),
            problems: Vec::new(),
        };
        for block in &blocks {
            reading.read_block(block);
        }
        let Reading {
            configuration,
            mut problems,
            ..
        } = reading;
        if blocks.is_empty() {
            let place = SourcePosition {
                file: file.into(),
                line: 1,
            };
            let reason = "has no server block".to_owned();
            problems.push(SyntaxError { place, reason }.into());
        }
        let refused = problems
            .iter()
            .any(|one| matches!(one.fault, DirectiveError::Invalid(_)));
        if refused {
            return Err(problems);
        }
        Ok((configuration, problems))
    }

    /// Tells whether it must be known which pods there are.
    pub(crate) fn uses_pods(&self) -> bool {
        self.blocks.iter().any(|block| {
            let verified = block
                .kubernetes
                .as_ref()
                .is_some_and(|one| one.pods == PodMode::Verified);
            verified || block.autopath.as_ref().is_some_and(Autopath::uses_pods)
        })
    }

    /// Tells whether it must be known what the cluster has.
    pub(crate) fn uses_kubernetes(&self) -> bool {
        self.blocks.iter().any(|block| block.kubernetes.is_some())
    }

    /// The ports on which names are served.
    pub(crate) fn ports(&self) -> BTreeSet<u16> {
        let keys = self.blocks.iter().flat_map(|block| &block.keys);
        keys.map(|(_, port)| *port).collect()
    }

    /// Where metrics are.
    pub(crate) fn metrics(&self) -> BTreeSet<SocketAddr> {
        self.blocks
            .iter()
            .filter_map(|block| block.metrics)
            .collect()
    }
}

struct Reading<'a> {
    environment: &'a dyn Environment,
    configuration: Configuration,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    fn read_block(&mut self, source: &ServerBlock) {
        let mut block = Block::default();
        for key in &source.keys {
            let result = server::parse_server_key(&key.text)
                .and_then(|(zones, port)| self.add_key(&mut block, source, zones, port));
            self.note_result(&key.place, "", result);
        }
        block.zones = Zones::new(block.keys.iter().map(|(zone, _)| zone.clone()).collect());
        for directive in &source.directives {
            let mut found = Vec::new();
            let result = self.read_directive(&mut block, directive, &mut Lines::new(&mut found));
            if result.is_ok() {
                block.plugins.insert(directive.name.clone());
            }
            self.note_result(&directive.place, &directive.name, result);
            for (line, fault) in found {
                let name = format!("{} {}", directive.name, line.name);
                self.note_result(&line.place, &name, Err(fault));
            }
        }
        // Of a block none of whose keys is served, nothing is.
        if !block.keys.is_empty() {
            self.configuration.blocks.push(block);
        }
    }

    fn add_key(
        &self,
        block: &mut Block,
        source: &ServerBlock,
        zones: Vec<Name>,
        port: u16,
    ) -> Result<(), DirectiveError> {
        for zone in zones {
            let key = (zone, port);
            let blocks = self.configuration.blocks.iter();
            let mut served = blocks.flat_map(|one| &one.keys).chain(&block.keys);
            if served.any(|other| *other == key) {
                if narrowness(source).contains(&true) {
                    let reason = format!("{}:{port} is served by another server block", key.0);
                    return not_supported(reason);
                }
                return invalid_directive(format!("{}:{port} is served already", key.0));
            }
            block.keys.push(key);
        }
        Ok(())
    }

    fn note_result(
        &mut self,
        place: &SourcePosition,
        directive: &str,
        result: Result<(), DirectiveError>,
    ) {
        if let Err(fault) = result {
            self.problems.push(Problem {
                place: place.clone(),
                directive: directive.to_owned(),
                fault,
            });
        }
    }

    fn read_directive(
        &mut self,
        block: &mut Block,
        directive: &Directive,
        lines: &mut Lines<'_>,
    ) -> Result<(), DirectiveError> {
        let environment = self.environment;
        let around = &block.zones;
        match directive.name.as_str() {
            "log" => block.log.push(LogRule::read_directive(directive, lines)?),
            "rewrite" => block.rewrite.push(Rule::read_directive(directive)?),
            "template" => block
                .templates
                .push(Template::read_directive(directive, around, lines)?),
            "forward" => block.forward.push(ForwardSettings::read_forward(
                directive,
                environment,
                lines,
            )?),
            "hosts" => set_once(
                &mut block.hosts,
                Hosts::read_directive(directive, around, environment, lines)?,
            )?,
            "kubernetes" => set_once(
                &mut block.kubernetes,
                Kubernetes::read_directive(directive, around, lines)?,
            )?,
            "cache" => set_once(
                &mut block.cache,
                CacheSettings::read_directive(directive, around, lines)?,
            )?,
            "autopath" => set_once(
                &mut block.autopath,
                Autopath::read_directive(directive, around, environment)?,
            )?,
            "prometheus" => set_once(&mut block.metrics, server::read_metrics(directive, lines)?)?,
            "health" => {
                let lameduck = server::read_health(directive, lines)?;
                self.configuration.lameduck = self.configuration.lameduck.max(lameduck);
            }
            "ready" => server::read_ready(directive, lines)?,
            "loadbalance" => {
                server::read_loadbalance(directive, lines)?;
                block.loadbalance = true;
            }
            "reload" => check_reload(directive)?,
            // What they do, or would do to the log, happens anyhow; answers do not change by them.
            "errors" | "loop" | "debug" | "metadata" | "cancel" => {}
            other if OTHERS.contains(&other) || MORE_OTHERS.contains(&other) => {
                return not_supported("names are answered without it");
            }
            _ => return invalid_directive("unknown directive"),
        }
        Ok(())
    }
}

/// Reads the times of `reload`. Changes are seen at once, whatever is said.
fn check_reload(directive: &Directive) -> Result<(), DirectiveError> {
    let mut times = directive.arguments.iter();
    times.try_for_each(|text| arguments::parse_duration(text).map(drop))
}

/// Tells what makes a server block one of several with the same key: that it is for some clients only, or on some
/// addresses.
fn narrowness(block: &ServerBlock) -> [bool; 2] {
    ["view", "bind"].map(|name| block.directives.iter().any(|one| one.name == name))
}

/// Keeps the settings of a plugin that a server block may name once.
fn set_once<T>(kept: &mut Option<T>, read: T) -> Result<(), DirectiveError> {
    if kept.replace(read).is_some() {
        return invalid_directive("may stand only once in a server block");
    }
    Ok(())
}

#[cfg(test)]
#[path = "configuration_tests.rs"]
pub(crate) mod tests;
