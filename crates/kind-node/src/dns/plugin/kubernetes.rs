//! `kubernetes`: which zones are made of the cluster's objects, and how.

use std::collections::BTreeSet;

use hickory_proto::rr::Name;
use kind_node::corefile::Directive;

use super::arguments::{self, DirectiveError, Lines, invalid_directive, not_supported};
use super::zones::{self, Fallthrough, Zones};

/// Seconds that clients may keep a record, where nothing is said.
const TTL: u32 = 5;

/// The most that may be said.
const LONGEST_TTL: u32 = 3600;

/// The directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kubernetes {
    /// The zones, those for addresses too.
    pub(crate) zones: Zones,
    /// Names of pods.
    pub(crate) pods: PodMode,
    /// Seconds that clients may keep a record.
    pub(crate) ttl: u32,
    /// Names without an answer that others are asked for.
    pub(crate) fallthrough: Fallthrough,
    /// The only namespaces that have names; all if there are none.
    pub(crate) namespaces: BTreeSet<String>,
    /// Endpoints without a hostname are called by their pod.
    pub(crate) endpoint_pod_names: bool,
    /// Endpoints have no names.
    pub(crate) no_endpoints: bool,
    /// Services without ready endpoints have no name.
    pub(crate) ignore_empty: bool,
}

/// What names such as `10-0-0-1.default.pod.cluster.local` are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum PodMode {
    /// There are none.
    #[default]
    Disabled,
    /// The address in them, whatever it is.
    Insecure,
    /// The address in them, if a pod of that namespace has it.
    Verified,
}

impl Kubernetes {
    /// Zones with what CoreDNS takes where nothing is said.
    pub(crate) fn new(zones: Zones) -> Self {
        Self {
            zones,
            pods: PodMode::default(),
            ttl: TTL,
            fallthrough: Fallthrough::default(),
            namespaces: BTreeSet::new(),
            endpoint_pod_names: false,
            no_endpoints: false,
            ignore_empty: false,
        }
    }

    /// Reads `kubernetes [ZONES…] { … }`; `around` are the zones of the server block.
    pub(crate) fn read_directive(
        directive: &Directive,
        around: &Zones,
        lines: &mut Lines<'_>,
    ) -> Result<Self, DirectiveError> {
        let mut settings = Self::new(arguments::parse_zones(&directive.arguments, around)?);
        if settings.domain().is_none() {
            return invalid_directive("needs a zone that is not one for addresses");
        }
        lines.read_each(directive, |line| settings.read_line(line));
        Ok(settings)
    }

    fn read_line(&mut self, line: &Directive) -> Result<(), DirectiveError> {
        match line.name.as_str() {
            "pods" => self.pods = pod_mode(arguments::one_argument(line)?)?,
            "ttl" => {
                self.ttl = arguments::parse_number(arguments::one_argument(line)?)?;
                if self.ttl > LONGEST_TTL {
                    return invalid_directive(format!("must be at most {LONGEST_TTL}"));
                }
            }
            "fallthrough" => self.fallthrough = arguments::parse_fallthrough(line)?,
            "namespaces" if line.arguments.is_empty() => {
                return invalid_directive("needs a namespace");
            }
            "namespaces" => self.namespaces = line.arguments.iter().cloned().collect(),
            "endpoint_pod_names" => self.endpoint_pod_names = true,
            "noendpoints" => self.no_endpoints = true,
            "ignore" if line.arguments == ["empty_service"] => self.ignore_empty = true,
            // How the API server is asked changes no answer.
            "apiserver_qps" | "apiserver_burst" | "apiserver_max_inflight" | "startup_timeout" => {
                arguments::one_argument(line)?;
            }
            "endpoint" | "tls" | "kubeconfig" | "labels" | "namespace_labels" | "multicluster"
            | "zonal" => return not_supported("the cluster's own objects are served, all of them"),
            _ => return invalid_directive("unknown property"),
        }
        Ok(())
    }

    /// The first zone that is not one for addresses: where services have their names.
    pub(crate) fn domain(&self) -> Option<&Name> {
        self.zones.iter().find(|zone| !zones::is_reverse(zone))
    }
}

fn pod_mode(text: &str) -> Result<PodMode, DirectiveError> {
    match text {
        "disabled" => Ok(PodMode::Disabled),
        "insecure" => Ok(PodMode::Insecure),
        "verified" => Ok(PodMode::Verified),
        _ => invalid_directive("must be disabled, insecure or verified"),
    }
}
