//! `forward`: which servers are asked for which names.

use std::net::{IpAddr, SocketAddr};

use hickory_proto::rr::Name;
use kind_node::corefile::{Directive, Environment};

use super::super::resolv_conf;
use super::arguments::{self, DirectiveError, Lines, invalid_directive, not_supported};
use super::zones::Zones;

/// Port of name servers, where none is named.
const PORT: u16 = 53;

/// The most servers; CoreDNS has the same bound.
const MOST: usize = 15;

/// Questions under way, where nothing is said: a dead server must cost bounded memory.
const CONCURRENT: usize = 1000;

/// The most questions under way, whatever is said.
const MOST_CONCURRENT: usize = 100_000;

/// The directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForwardSettings {
    /// Names below which questions are forwarded.
    pub(crate) from: Name,
    /// But not those.
    pub(crate) except: Zones,
    /// The servers, in their order.
    pub(crate) servers: Vec<SocketAddr>,
    /// Which of them is asked first.
    pub(crate) policy: Policy,
    /// They are asked over TCP only.
    pub(crate) force_tcp: bool,
    /// Questions that may be under way.
    pub(crate) max_concurrent: usize,
}

/// Which of several servers is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Any.
    Random,
    /// Each in turn.
    RoundRobin,
    /// The first, as long as it answers.
    Sequential,
}

impl ForwardSettings {
    /// Reads `forward FROM TO… { … }`.
    pub(crate) fn read_forward(
        directive: &Directive,
        environment: &dyn Environment,
        lines: &mut Lines<'_>,
    ) -> Result<Self, DirectiveError> {
        let [from, to @ ..] = directive.arguments.as_slice() else {
            return invalid_directive("needs a zone");
        };
        let from = match super::zones::read_zones(from).as_deref() {
            Some([first, ..]) => first.clone(),
            _ => return invalid_directive(format!("{from:?} is not a zone")),
        };
        let (servers, listed) = parse_servers(to, environment)?;
        let mut settings = Self {
            from,
            except: Zones::default(),
            servers,
            // A resolv.conf has its servers in the order in which they are to be asked.
            policy: if listed {
                Policy::Random
            } else {
                Policy::Sequential
            },
            force_tcp: false,
            max_concurrent: CONCURRENT,
        };
        lines.read_each(directive, |line| settings.read_line(line));
        Ok(settings)
    }

    fn read_line(&mut self, line: &Directive) -> Result<(), DirectiveError> {
        match line.name.as_str() {
            "except" if line.arguments.is_empty() => return invalid_directive("needs a zone"),
            "except" => {
                let more = arguments::parse_zones(&line.arguments, &Zones::default())?;
                self.except = Zones::new(self.except.iter().chain(more.iter()).cloned().collect());
            }
            "policy" => {
                self.policy = match arguments::one_argument(line)? {
                    "random" => Policy::Random,
                    "round_robin" => Policy::RoundRobin,
                    "sequential" => Policy::Sequential,
                    other => return invalid_directive(format!("unknown policy {other:?}")),
                }
            }
            "force_tcp" => {
                arguments::no_arguments(line)?;
                self.force_tcp = true;
            }
            "max_concurrent" => {
                let most: usize = arguments::parse_number(arguments::one_argument(line)?)?;
                self.max_concurrent = if most == 0 {
                    MOST_CONCURRENT
                } else {
                    most.min(MOST_CONCURRENT)
                };
            }
            // Asked over UDP first anyhow.
            "prefer_udp" => arguments::no_arguments(line)?,
            // How connections and the health of servers are kept: every question has a socket of its own,
            // and a server that fails rests.
            "expire"
            | "max_idle_conns"
            | "max_fails"
            | "max_connect_attempts"
            | "health_check"
            | "max_age"
                if !line.arguments.is_empty() => {}
            // Other servers are asked after such answers anyhow.
            "failover" if !line.arguments.is_empty() => {}
            "tls"
            | "tls_servername"
            | "next"
            | "next_on_nodata"
            | "read_timeout"
            | "source_address"
            | "resolver"
            | "doh_method"
            | "failfast_all_unhealthy_upstreams" => {
                return not_supported("questions are forwarded without it");
            }
            _ => return invalid_directive("unknown property"),
        }
        Ok(())
    }

    /// Tells whether questions for a name are forwarded.
    pub(crate) fn covers(&self, name: &Name) -> bool {
        self.from.zone_of(name) && self.except.matching(name).is_none()
    }
}

/// Reads servers: addresses, and files such as `/etc/resolv.conf`; tells whether addresses are among them.
fn parse_servers(
    texts: &[String],
    environment: &dyn Environment,
) -> Result<(Vec<SocketAddr>, bool), DirectiveError> {
    let mut servers = Vec::new();
    let mut listed = false;
    for text in texts {
        if let Some((scheme, _)) = text.split_once("://")
            && scheme != "dns"
        {
            return not_supported(format!("servers cannot be asked over {scheme}"));
        }
        let plain = text.strip_prefix("dns://").unwrap_or(text);
        match parse_address(plain) {
            Some(server) => {
                listed = true;
                servers.push(server);
            }
            None => match environment.files(plain).first() {
                Some((_, text)) => servers.extend(resolv_conf::parse_servers(text)),
                None => {
                    return invalid_directive(format!("{text:?} is neither an address nor a file"));
                }
            },
        }
    }
    if texts.is_empty() || servers.len() > MOST {
        return invalid_directive(format!("needs from 1 to {MOST} servers"));
    }
    Ok((servers, listed))
}

/// Reads an address with or without a port.
fn parse_address(text: &str) -> Option<SocketAddr> {
    let alone = text.trim_matches(['[', ']']).parse::<IpAddr>();
    alone.map_or_else(
        |_| text.parse().ok(),
        |address| Some((address, PORT).into()),
    )
}
